/** `film/42` of `pixels://film/42` (a `?v=1` behind it only tells versions apart), or null for an address of another form. */
export function pixelsPath(address: string): string | null {
  const found = /^pixels:\/\/([a-z]+\/[0-9]+)(?:\?v=[0-9]+)?$/.exec(address);
  return found?.[1] ?? null;
}
