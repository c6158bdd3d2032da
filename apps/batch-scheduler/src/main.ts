import { runMain } from '@mooring/runtime';
import { batchSchedulerModule } from '@mooring/batch-scheduler-service';

await runMain({ 'batch-scheduler': batchSchedulerModule }, { target: 'all' });
