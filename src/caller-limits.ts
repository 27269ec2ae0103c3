/** Numbers of those who call us: how they sign in, how often they may ask, and how long they may take. Part of `limits`, and read through it. */
export const callerLimits = {
  /** Length of a password, and of the secrets that sign session cookies and name codes. */
  passwordMinChars: 10,
  passwordMaxChars: 128,
  secretMinChars: 32,
  /** Length of a user's name, and of the URL of their picture. */
  userNameChars: 100,
  userImageChars: 2_048,
  /** How long a session lasts, and how old it must be before its own endpoint prolongs it. */
  sessionMs: 7 * 86_400_000,
  sessionRefreshAfterMs: 86_400_000,
  /** How long the demo's session lasts; each start prolongs it. */
  demoSessionMs: 30 * 86_400_000,
  /** Length of a session token: better-auth makes 32 characters. */
  sessionTokenMinChars: 32,
  sessionTokenMaxChars: 128,
  /** How long after signing in a session is fresh: only then are passkeys added and removed. */
  freshSessionMs: 86_400_000,
  /** Sessions of one user that are listed, the newest. */
  sessionsPerUser: 100,
  /** Passkeys of one user, and the length of what a browser sends of one. */
  passkeysPerUser: 20,
  credentialIdChars: 1_400,
  /** API keys of one user that are live; the length of their names, of their random part, and of what is shown of that. */
  apiKeysPerUser: 20,
  apiKeyNameChars: 100,
  apiKeyRandomChars: 48,
  apiKeyShownChars: 5,
  /** The use of an API key is noted at most once in this time, for all keys that were used within the second. */
  apiKeyTouchMs: 60_000,
  apiKeyTouchDelayMs: 1_000,
  /** What has expired (sessions, keys, challenges) is deleted at most once in this time. */
  expiredSweepMs: 600_000,
  /** Connections for sign-in, and those that only look sessions and keys up, which every command waits for. */
  signInConnections: 4,
  sessionLookupConnections: 2,
  /** Tokens looked up by one statement. */
  sessionLookupTokens: 500,
  /** Passwords hashed at once: each takes 32 MB and one of the four threads that file writes need too. */
  parallelPasswordHashes: 2,
  /** Requests to one sign-in path from one address within one window, and those that try a password or make a user. */
  authRequestsPerWindow: 100,
  authWindowMs: 10_000,
  passwordTriesPerWindow: 10,
  passwordWindowMs: 60_000,
  /** A change of users or sessions is in the backup file after this long, and the rows read or restored at a time. */
  authBackupDelayMs: 250,
  authBackupBatchRows: 500,

  /**
   * Requests in a minute, per class of what is asked (`LimitClass`), from one address: a /64 of IPv6. Public is what nobody signs in for, and
   * the rest is a household's, or an office's, together.
   */
  addressPublicPerMinute: 600,
  addressPerMinute: 1_200,
  addressSignInsPerMinute: 20,
  addressClaimsPerMinute: 30,
  /** Those of one user, whatever they are let in by: as many as a pro account can take in its best minute. */
  userPerMinute: 900,
  userClaimsPerMinute: 10,
  userAdminPerMinute: 60,
  /**
   * Those about one account, reads and commands each, by its plan. A burst is what may come on top once a minute's are used up: so many within
   * the five minutes that begin with the first of them.
   */
  freeAccountPerMinute: 60,
  freeAccountBurstPoints: 30,
  proAccountPerMinute: 600,
  proAccountBurstPoints: 300,
  accountBurstMs: 5 * 60_000,
  /** How long the plan of an account, and that a user has a role in it, are taken as known for limits; and for how many. */
  planAgeMs: 10_000,
  rememberedPlans: 10_000,
  /** Allowances one process remembers. One that is used up is asked about again after this long, for it may have been reset. */
  rememberedAllowances: 50_000,
  allowanceRefusalMs: 1_000,
  /** How long Postgres may take over an allowance before the process counts by itself, and how often it then tries to come back. */
  allowanceTimeoutMs: 250,
  allowanceRetryMs: 1_000,
  allowanceConnections: 2,
  /** Counts whose window is over this long are deleted, so many at once, this often. */
  allowanceGraceMs: 60_000,
  allowanceSweepRows: 1_000,
  allowanceSweepMs: 10_000,

  /** Connections one process serves at once; more are cut off unanswered. */
  httpConnections: 4_096,
  /** A connection on which nothing moves for this long is cut: its client does not read what it asked for. */
  silentConnectionMs: 5 * 60_000,
  /** How long a client that was told off may take to close its end. */
  refusedConnectionMs: 1_000,
  /** Header fields of one request, all together. */
  requestHeaderBytes: 16 * 1024,
  /** How long a request's header fields, and the whole of it, may take to arrive. */
  requestHeadersMs: 10_000,
  requestArrivalMs: 30_000,
  /** An idle connection is kept this long: longer than the minute of the balancers in front, so that they close it and not we. */
  keepAliveMs: 65_000,
  /** Requests being answered may take this long when the service stops. */
  drainMs: 15_000,
  /** Receipts read back from a moment in search of the last save. */
  asOfReceipts: 1_000,
  /** Streams being verified for requests at once in this process. */
  concurrentVerifications: 2,
  /** The dependencies are asked for their health at most once in this time. */
  healthAgeMs: 1_000,
} as const;
