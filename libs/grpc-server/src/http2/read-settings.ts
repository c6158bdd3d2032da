import { ConnectionError, errorCode, maxFrameBytes, maxWindow, setting } from './protocol.ts';

/** What of a peer's settings matters to a server that never pushes, and sends no frame above the smallest maximum. */
export interface PeerSettings {
  headerTableBytes: number | undefined;
  windowBytes: number | undefined;
}

/** Entries that one frame may have; there are six settings. */
const entriesMax = 100;

export function readSettings(payload: Buffer): PeerSettings {
  if (payload.length % 6 !== 0) throw new ConnectionError(errorCode.frameSizeError, 'SETTINGS is cut off');
  if (payload.length > entriesMax * 6) throw new ConnectionError(errorCode.enhanceYourCalm, 'too many settings');
  const settings: PeerSettings = { headerTableBytes: undefined, windowBytes: undefined };
  for (let at = 0; at < payload.length; at += 6) {
    const id = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    if (id === setting.headerTableSize) {
      // The smallest counts: the encoder must acknowledge that one.
      settings.headerTableBytes = Math.min(value, settings.headerTableBytes ?? value);
    } else if (id === setting.initialWindowSize) {
      if (value > maxWindow) throw new ConnectionError(errorCode.flowControlError, 'a window of more than 2^31 - 1');
      settings.windowBytes = value;
    } else if (id === setting.enablePush && value > 1) {
      throw new ConnectionError(errorCode.protocolError, 'ENABLE_PUSH is 0 or 1');
    } else if (id === setting.maxFrameSize && (value < maxFrameBytes || value > 2 ** 24 - 1)) {
      throw new ConnectionError(errorCode.protocolError, `MAX_FRAME_SIZE of ${value}`);
    }
  }
  return settings;
}
