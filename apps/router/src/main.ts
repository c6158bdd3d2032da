import { runMain } from '@mooring/runtime';
import { routerModule } from '@mooring/router-service';

await runMain({ router: routerModule }, { target: 'all' });
