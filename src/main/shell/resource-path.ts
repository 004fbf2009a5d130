import { isAbsolute, join, normalize, relative, sep } from "node:path";

/**
 * The file inside `folder` that the path of an address names, or null where it would name anything
 * else: a folder above, a device, another drive, a path with hidden separators.
 */
export function resourcePath(folder: string, addressPath: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(addressPath);
  } catch {
    return null;
  }
  if (/[\0\\:]/.test(path)) return null;
  const file = normalize(join(folder, path));
  const inside = relative(folder, file);
  if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    return null;
  }
  return file;
}
