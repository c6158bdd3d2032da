import { runScorerProcess } from '@mooring/scorer-service';

process.exit(await runScorerProcess(process.env));
