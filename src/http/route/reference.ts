import { z } from 'zod';
import { noBody, noQuery, operation } from '../operation.ts';
import { referencePage } from '../page/reference-page.ts';
import { referenceScript } from '../page/reference-script.ts';
import { freshOf } from '../success.ts';

export const readReference = operation({
  id: 'readReference',
  tag: 'Pages',
  summary: 'This description, to read and to try',
  successes: freshOf(z.string(), 'A page for people; it asks nobody but this service for anything', 'text/html'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async (_service, _nobody: null) => referencePage(),
});

export const readReferenceScript = operation({
  id: 'readReferenceScript',
  tag: 'Pages',
  summary: 'The script of /docs',
  successes: freshOf(z.string(), 'The script', 'text/javascript'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async (_service, _nobody: null, { headers }) => referenceScript(headers.get('accept-encoding') ?? ''),
});
