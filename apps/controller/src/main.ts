import { runMain } from '@mooring/runtime';
import { controllerModule } from '@mooring/controller-service';

await runMain({ controller: controllerModule }, { target: 'all' });
