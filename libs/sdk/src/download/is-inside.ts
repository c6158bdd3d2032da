/** True for a path, with `/` between its names, that leads nowhere but below the folder that it is put in. */
export function isInside(file: string): boolean {
  return !/[\\\p{Cc}]/u.test(file) && file.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}
