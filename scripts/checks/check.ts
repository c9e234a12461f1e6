/**
 * One rule of the repository. A check reads the tree below `root` and returns what is wrong with
 * it, one problem a string, each naming the file and what to do; an empty list is a pass.
 */
export interface Check {
  readonly name: string;
  run(root: string): Promise<readonly string[]>;
}
