import { fileURLToPath } from 'node:url';

/** Folder of the Python package `mooring_worker`, for those who start other processes with its help. */
export const workerPackageFolder = fileURLToPath(new URL('../python', import.meta.url));
