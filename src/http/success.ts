import type { z } from 'zod';
import type { Success } from './operation.ts';

const unchanged: Success = {
  status: 304,
  description: 'The client has this already (If-None-Match)',
  fields: ['ETag', 'Cache-Control', 'Vary'],
};

/** A read with an ETag, 200 or 304, in one or several media types; the first is the default. */
export const readAs = (content: NonNullable<Success['content']>, description: string): readonly Success[] => [
  { status: 200, description, content, fields: ['ETag', 'Cache-Control', 'Vary'] },
  unchanged,
];

/** As `readAs`, in JSON. */
export const readOf = (schema: z.ZodType, description: string): readonly Success[] =>
  readAs({ 'application/json': schema }, description);

/** An answer that no cache keeps. */
export const freshOf = (schema: z.ZodType, description: string, mediaType = 'application/json'): readonly Success[] => [
  { status: 200, description, content: { [mediaType]: schema }, fields: ['Cache-Control'] },
];
