import { authModule } from '@mooring/auth-service';
import { batchSchedulerModule } from '@mooring/batch-scheduler-service';
import { controllerModule } from '@mooring/controller-service';
import { createGatewayModule, gatewayModule, type ScoringEdge } from '@mooring/gateway-service';
import { managementModule } from '@mooring/management-service';
import { registryModule } from '@mooring/registry-service';
import { routerModule } from '@mooring/router-service';
import { defineModule, type Module, type ModuleSet } from '@mooring/runtime';
import { workerModule } from '@mooring/worker-service';

/**
 * The one in-process shortcut: a gateway and a router in one process meet by a function call instead of a stream, which
 * saves a hop on every request.
 */
const edgeModule: Module<ScoringEdge> = defineModule({
  name: 'edge',
  needs: { router: routerModule },
  create: ({ router }) => ({ port: router.scoring, ready: () => router.ready() }),
});

const gatewayBesideRouter = createGatewayModule({ scoring: edgeModule });

/** Every service by its target's name, in dependency order; scorers are processes of their own always. */
export function serviceModules(targets: readonly string[]): ModuleSet {
  const together = targets.includes('all') || (targets.includes('gateway') && targets.includes('router'));
  return {
    auth: authModule,
    registry: registryModule,
    controller: controllerModule,
    'batch-scheduler': batchSchedulerModule,
    worker: workerModule,
    management: managementModule,
    router: routerModule,
    gateway: together ? gatewayBesideRouter : gatewayModule,
  };
}
