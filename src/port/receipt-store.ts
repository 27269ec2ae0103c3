/**
 * What `create` did. `created`: the object is durable with exactly these bytes. `exists`: some object has this key, maybe
 * with our own bytes from an earlier try; nothing was changed. `busy`: the store refused for now (S3 409), nothing was changed.
 */
export type CreateOutcome = 'created' | 'exists' | 'busy';

/** One LIST. Keys sort by their UTF-8 bytes. */
export type ListRequest = {
  /** Only keys that begin with this. */
  readonly prefix: string;
  /** Only keys strictly after this one. */
  readonly startAfter?: string;
  /** At most this many keys, 1…1000. */
  readonly limit: number;
};

/**
 * A key, and what shows whether the object under it was changed: `tag` is opaque text without NUL. The same tag as before means that the object
 * was not written since; another one, that it has to be looked at again, and nothing more. (A place that cannot tell gives a tag that
 * never comes again.)
 */
export type TaggedKey = { readonly key: string; readonly tag: string };

/**
 * The only place where truth lives: immutable objects under computed keys (receipt.md §2, §3).
 *
 * Durability: when `create` says `created` the object survives loss of power. Atomicity: any number of concurrent creates of
 * one key have exactly one winner, and no reader ever sees part of an object. Consistency: a `read`, `exists` or `list` that starts
 * after `create` answered sees the object.
 *
 * Failure: every call may throw `Outage`. After a thrown `create` the object may exist, may appear later, or never: the
 * caller repeats with the same bytes. Adapters never retry a `create` or a `replaceDerived` by themselves. Calls may hang: the caller holds the deadline,
 * though adapters end their own sockets too. Any number of calls may run at once.
 */
export interface ReceiptStore {
  /** Where this is, for people: `fs:/path` or `s3://bucket at https://…`. Never holds a credential. */
  readonly description: string;
  /** Makes the object unless the key is taken (S3: PutObject with `If-None-Match: *`). Never overwrites. */
  create(key: string, bytes: Uint8Array): Promise<CreateOutcome>;
  /**
   * Puts a derived object in the place of whatever has its key (S3: PutObject). Throws TypeError for any key of which `isDerivedKey` is false: no
   * receipt can be overwritten by it. Readers see the old object or the new one, whole; of several writers at once the last wins. Durable when
   * answered; after a thrown call either object may be there.
   */
  replaceDerived(key: string, bytes: Uint8Array): Promise<void>;
  /** The exact bytes of an object, or null when there is none. */
  read(key: string): Promise<Uint8Array | null>;
  /** Whether there is an object (S3: HeadObject). */
  exists(key: string): Promise<boolean>;
  /** Keys in order, as `ListRequest` asks; fewer than `limit` means there are no more. */
  list(request: ListRequest): Promise<readonly string[]>;
  /** As `list`, each key with its tag (S3: ETag and size, which the LIST tells anyway). */
  survey(request: ListRequest): Promise<readonly TaggedKey[]>;
  /**
   * Removes a scratch object of the start-up qualification, or a segment, of which nothing but time is lost; without one, does nothing.
   * After loss of power the object may be there again. Throws TypeError for any key not under `qualification/` or `segments/`.
   */
  discard(key: string): Promise<void>;
  /** Lets go of sockets and files. Calls after it throw `Outage`. */
  close(): Promise<void>;
}
