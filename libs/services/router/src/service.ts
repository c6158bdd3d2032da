import type { Logger } from 'pino';
import { watchCredentials } from '@mooring/credentials';
import { kvKey, type MemberRecord, type MirrorReportRecord } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { startGrpcServer as startLeanGrpcServer } from '@mooring/grpc-server';
import { startGrpcServer, type GrpcServer } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import { serveScoringStream, type ScoringStreamServer } from '@mooring/scoring-stream';
import type { KeptRequests, Telemetry, Tracing } from '@mooring/telemetry';
import { createKeyGate } from './adapters/key-gate.ts';
import { feedDirectory } from './adapters/nats-directory.ts';
import { createNatsMirrorReports } from './adapters/nats-mirror-reports.ts';
import { createInstanceStreams } from './adapters/open-instance-stream.ts';
import { createStateGauges, createTelemetryObserver } from './adapters/telemetry-observer.ts';
import type { RouterConfig } from './config.ts';
import { Directory } from './domain/directory.ts';
import { startInline, type Inline } from './inline/inline.ts';
import { createInferenceService } from './handlers/inference-service.ts';
import { createServedRequests } from './handlers/served-requests.ts';
import { flushMirrorReports } from './mirror-flush.ts';
import { MirrorSender } from './mirror.ts';
import type { EndpointGate, MirrorReports } from './ports.ts';
import { startRepeat, type Repeat } from './repeat/start-repeat.ts';
import type { IdempotentPort } from './repeat/idempotency.ts';
import { createRoute } from './route.ts';
import { warm } from './warm.ts';

/** A router: picks deployments and instances for the gateway in its process, one in another process, and gRPC callers. */
export class Router implements Lifecycle {
  /** For a gateway in this process. */
  readonly scoring: IdempotentPort;
  private readonly directory: Directory;
  private readonly repeat: Repeat;
  private readonly mirror: MirrorSender;
  private readonly streams: ScoringStreamServer;
  private readonly config: RouterConfig;
  private readonly nats: Nats;
  private readonly tracing: Tracing;
  private readonly requests: KeptRequests;
  private readonly log: Logger;
  private readonly showState: () => void;
  private readonly stopping = new AbortController();
  /** What ends at a stop, last first. */
  private readonly closers: (() => void)[] = [];
  private readonly servers: GrpcServer[] = [];
  private readonly writtenReports = new Map<string, number>();
  private reports: MirrorReports | undefined;
  private flushing = false;
  private inline: Inline | undefined;

  constructor(config: RouterConfig, nats: Nats, telemetry: Telemetry, log: Logger) {
    const { tracing } = telemetry;
    this.config = config;
    this.nats = nats;
    this.tracing = tracing;
    this.requests = telemetry.requests;
    this.log = log;
    const observer = createTelemetryObserver(tracing);
    const shared = {
      observer,
      ejection: { afterFailures: config.ejectAfterFailures, baseMs: config.ejectBaseMs, maxMs: config.ejectMaxMs },
      now: () => performance.now(),
      onEjected: observer.ejected,
    };
    const limits = {
      queueMax: config.mirrorQueueMax,
      bytesMax: config.mirrorBytesMax,
      compareBytesMax: config.mirrorCompareBytesMax,
    };
    this.directory = new Directory(
      createInstanceStreams(log),
      (pool, key, record) => this.inline?.models.apply(pool, key, record),
      config.shareOf,
    );
    this.showState = createStateGauges(this.directory);
    this.mirror = new MirrorSender({ ...shared, limits });
    const { retriesMax, instanceWaitMs, deploymentBytesMax } = config;
    const { directory, mirror } = this;
    this.repeat = startRepeat(config, nats, directory, shared.now);
    const route = createRoute({
      ...shared,
      directory,
      mirror,
      random: Math.random,
      retriesMax,
      instanceWaitMs,
      deploymentBytesMax,
      alike: this.repeat.alike,
    });
    this.scoring = this.repeat.once(route);
    this.streams = serveScoringStream({
      port: this.scoring,
      credits: config.gatewayCallsMax,
      // Whether an instance wants the callers' headers is known only once it is picked.
      wantsHeaders: true,
      instanceId: config.id,
      log,
    });
  }

  /** `host:port` of the gRPC server once it is started. */
  get grpcAddress(): string | undefined {
    return this.servers[0]?.address;
  }

  ready(): boolean {
    return this.servers.length > 0 && !this.stopping.signal.aborted;
  }

  facts(): Readonly<Record<string, string>> {
    return this.grpcAddress === undefined ? {} : { grpc: this.grpcAddress };
  }

  async start(): Promise<void> {
    const credentials = await watchCredentials(this.nats);
    this.closers.push(() => credentials.stop());
    if (this.config.inline) this.inline = await startInline(this.config, this.nats, this.tracing, this.log);
    const feed = await feedDirectory(this.nats, this.directory, this.log);
    this.closers.push(
      () => this.directory.close(),
      () => feed.stop(),
    );
    this.reports = createNatsMirrorReports(
      await this.nats.bucket<MirrorReportRecord>('mooring_mirror'),
      this.config.id,
    );
    const timer = setInterval(() => void this.tick(), this.config.mirrorFlushMs);
    this.closers.push(() => clearInterval(timer));
    const { log } = this;
    const loaded = async (): Promise<void> => this.inline?.models.loaded();
    await warm({ connected: () => this.directory.connected(), loaded }, this.config.warmMs, this.stopping.signal);
    const { grpc, reusePort, grpcListenFd, listenFd, address } = this.config;
    const ready = (): boolean => this.ready();
    const inference = this.inferenceService(createKeyGate(credentials));
    // Callers come in over our own HTTP/2, a fifth of grpc-js's CPU a call (docs/adr/0007).
    this.servers.push(
      await startLeanGrpcServer({
        address: grpc,
        reusePort,
        listenFd: grpcListenFd,
        services: [inference],
        log,
        ready,
      }),
    );
    if (address !== 'none') {
      this.servers.push(await startGrpcServer({ address, listenFd, services: [this.streams], log, ready }));
    }
    await this.tellMembers();
    log.info({ grpc: this.grpcAddress, generation: this.directory.generation }, 'router serves');
  }

  /** Finishes open calls, then the mirror's last report; `signal` cuts both short. */
  async stop(signal: AbortSignal): Promise<void> {
    this.stopping.abort();
    // Listening ends before anybody is told to go: who comes again then reaches the router that takes over.
    const stopped = this.servers.map((server) => server.stop(signal));
    this.streams.drain();
    await Promise.allSettled(stopped);
    this.mirror.stop();
    if (!signal.aborted) await this.scoring.settled();
    if (this.nats.connected() && !signal.aborted) await this.tick();
    for (const close of this.closers.toReversed()) close();
    await this.inline?.stop();
  }

  private inferenceService(gate: EndpointGate): ReturnType<typeof createInferenceService> {
    return createInferenceService({
      route: this.scoring,
      directory: this.directory,
      gate,
      served: createServedRequests(this.log, this.tracing, this.requests),
      inFlightMax: this.config.streamInFlightMax,
      stopping: this.stopping.signal,
      log: this.log,
      ready: () => this.ready(),
    });
  }

  /** Gauges and reports, about once a second; never two at a time, however slow the store is. */
  private async tick(): Promise<void> {
    this.showState();
    this.repeat.tick();
    const { reports, directory, log } = this;
    if (this.flushing || !reports) return;
    this.flushing = true;
    const tallies = this.mirror.tallies;
    await flushMirrorReports({ tallies, directory, reports, routerId: this.config.id, log }, this.writtenReports);
    this.flushing = false;
  }

  private async tellMembers(): Promise<void> {
    const members = await this.nats.bucket<MemberRecord>('mooring_members');
    const grpc = this.grpcAddress ?? '';
    const startedAt = new Date().toISOString();
    await members.put(kvKey('router'), {
      service: 'router',
      id: `${process.pid}-${startedAt}`,
      url: `http://${grpc}`,
      grpc,
      startedAt,
    });
  }
}
