import { runMain } from '@mooring/runtime';
import { authModule } from '@mooring/auth-service';

await runMain({ auth: authModule }, { target: 'all' });
