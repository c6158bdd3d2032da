import { runMain } from '@mooring/runtime';
import { __camel__Module } from '@mooring/__name__-service';

await runMain({ __camel__: __camel__Module }, { target: 'all' });
