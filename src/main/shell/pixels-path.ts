/** `film/42` of `pixels://film/42`, or null for an address of another form. */
export function pixelsPath(address: string): string | null {
  const found = /^pixels:\/\/([a-z]+\/[0-9]+)$/.exec(address);
  return found?.[1] ?? null;
}
