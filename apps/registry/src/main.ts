import { runMain } from '@mooring/runtime';
import { registryModule } from '@mooring/registry-service';

await runMain({ registry: registryModule }, { target: 'all' });
