/** Times are ISO 8601 in UTC throughout. */
export type Timestamp = string;
