import { readConfig } from '@mooring/config';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { __camel__Config } from './config.ts';
import { create__Pascal__Service } from './service.ts';

/** What the __name__ service needs and how it is made. */
export const __camel__Module: Module<Lifecycle> = defineModule({
  name: '__name__',
  needs: {},
  create: (_needs, { environment, log }) =>
    create__Pascal__Service(readConfig('__UPPER__', __camel__Config, environment), log),
});
