// The DTU itself: what it says to the AT commands that a gateway program asks it when it registers.
const WIRED = { PID: 'USR-N510', VER: 'V1.0.18', 'UART=1': '1,9600,8,1,NONE,NFC' };
const MOBILE = {
  PID: 'USR-LTE-7S4',
  VER: 'V1.0.18',
  GVER: 'V3.0',
  IOTEN: 'on',
  ICCID: '89860117851014783481',
  'LOCATE=1': '1,114.301234,30.591234',
  'UART=1': '1,9600,8,1,NONE,NFC',
  GSLQ: '25',
  'IOTEN=off': '',
};

/** Which answer becomes which field of `dtuinfo`. */
const FIELDS = {
  PID: 'PID',
  VER: 'ver',
  GVER: 'Gver',
  IOTEN: 'iotStat',
  'LOCATE=1': 'jw',
  'UART=1': 'uart',
  ICCID: 'ICCID',
  GSLQ: 'signal',
};

/** What a program asks, in its order, before any query. */
export const DISCOVERY = ['PID', 'VER', 'GVER', 'IOTEN', 'ICCID', 'LOCATE=1', 'UART=1', 'GSLQ', 'IOTEN=off'];

/** The raw answer to `+++AT+<command>`, from a DTU with or without a SIM. */
export function answer(sim, command) {
  const known = (sim ? MOBILE : WIRED)[command];
  if (known === undefined) return '+ERR=1\r\n';
  return known === '' ? '+ok\r\n' : `+ok=${known}\r\n`;
}

/** How a variant reads an AT answer: one keeps the line end and drops a leading `1,`, the other the other way round. */
export function read(variant, text) {
  if (variant === 'uart-node') {
    const found = /^\+ok=(.*)$/is.exec(text.trim());
    return found ? { ok: true, msg: found[1].trim() } : { ok: false };
  }
  if (!/^\+ok/.test(text)) return { ok: false };
  return { ok: true, msg: text.replace('+ok', '').replace(/^=/, '').replace(/^\d,/, '') };
}

/** The `info` that a variant posts as `dtuinfo`; what the DTU did not tell is empty. */
export function dtuInfo(variant, { mac, port, sim }) {
  const said = Object.fromEntries(
    Object.entries(FIELDS).map(([command, field]) => [field, read(variant, answer(sim, command)).msg ?? '']),
  );
  return { mac, ip: '127.0.0.1', port, connecting: true, lock: false, AT: true, ...said, DevMac: mac };
}
