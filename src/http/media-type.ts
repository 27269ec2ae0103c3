/** One range of an `Accept` field and how much it is wanted (RFC 9110 §12.5.1). */
type Range = { readonly type: string; readonly subtype: string; readonly quality: number };

/**
 * The media type the client wants most of those there are, the first of equals; null when it wants none. Without the field, the first.
 */
export const chosenMediaType = (accept: string | null, offered: readonly string[]): string | null => {
  const first = offered[0] ?? null;
  if (accept === null || first === null || accept === '*/*' || accept === first) return first;
  const ranges = accept.split(',', MOST_RANGES).map(rangeOf);
  let best: string | null = null;
  let bestQuality = 0;
  for (const mediaType of offered) {
    const quality = qualityOf(mediaType, ranges);
    if (quality > bestQuality) [best, bestQuality] = [mediaType, quality];
  }
  return best;
};

const MOST_RANGES = 64;

const rangeOf = (text: string): Range => {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const [type = '', subtype = ''] = name.split('/');
  const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
  return { type, subtype, quality: quality >= 0 && quality <= 1 ? quality : 0 };
};

/** The most specific range that fits decides. Parameters of offered types (charset) play no part. */
const qualityOf = (mediaType: string, ranges: readonly Range[]): number => {
  const [type, subtype] = (mediaType.split(';')[0] ?? '').split('/');
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype);
  const kind = ranges.find((range) => range.type === type && range.subtype === '*');
  const any = ranges.find((range) => range.type === '*' && range.subtype === '*');
  return (exact ?? kind ?? any)?.quality ?? 0;
};
