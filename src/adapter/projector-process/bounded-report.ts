import { limits } from '../../limits.ts';
import { type Json, type JsonObject, isJsonObject } from '../../receipt/json.ts';

/** A report as it is kept, and whether that is all of it. */
export type BoundedReport = { readonly report: JsonObject | null; readonly reportWhole: boolean };

/**
 * A report of at most `limits.runReportBytes` as JSON: its lists are cut to their beginnings when it is longer, and when that does not help
 * nothing of it is kept.
 */
export const boundedReport = (report: JsonObject): BoundedReport => {
  if (fits(report)) return { report, reportWhole: true };
  const cut = beginningsOf(report);
  return { report: isJsonObject(cut) && fits(cut) ? cut : null, reportWhole: false };
};

const fits = (report: JsonObject): boolean => Buffer.byteLength(JSON.stringify(report)) <= limits.runReportBytes;

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const beginningsOf = (value: Json): Json => {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.slice(0, limits.runReportElements).map(beginningsOf);
  return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, beginningsOf(inner)]));
};
