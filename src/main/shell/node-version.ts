/** The oldest Node in which the store's native module loads. */
const oldestNode = { major: 22, minor: 14 };

/** Whether a Node of this version can run the core. */
export function carriesCore(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > oldestNode.major || (major === oldestNode.major && minor >= oldestNode.minor);
}
