import { gatewayModule } from '@mooring/gateway-service';
import { runMain } from '@mooring/runtime';

await runMain({ gateway: gatewayModule }, { target: 'all' });
