import { runMain } from '@mooring/runtime';
import { workerModule } from '@mooring/worker-service';

await runMain({ worker: workerModule }, { target: 'all' });
