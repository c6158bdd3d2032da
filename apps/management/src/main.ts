import { runMain } from '@mooring/runtime';
import { managementModule } from '@mooring/management-service';

await runMain({ management: managementModule }, { target: 'all' });
