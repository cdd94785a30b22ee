// Follows one verification without gaps.
//
// Realtime may lose what happens while the connection is down, and events may overtake each other. The journal's
// numbers repair both: rows are shown in the order of `seq`, and after every (re)connect the rows above the last one
// shown are read. Subscribe first, then read: what happens in between arrives twice rather than never.

/**
 * @param {import("pocketbase").default} pb
 * @param {string} id the verification
 * @param {{onRecord, onSession, onRow, onConnection}} handlers called with a record each; `onConnection` with true or false
 * @returns a function that stops following
 */
export async function follow(pb, id, handlers) {
  const ofThis = pb.filter("verification = {:id}", { id });
  const waiting = new Map();
  let lastSeq = 0;
  let version = -1;
  let stopped = false;

  /** Shows a row once and in order; one that came too early waits for those before it. */
  function offer(row) {
    if (row.seq > lastSeq) waiting.set(row.seq, row);
    while (waiting.has(lastSeq + 1)) {
      const next = waiting.get(++lastSeq);
      waiting.delete(lastSeq);
      handlers.onRow(next);
    }
  }

  /** The record carries the number of its last journal row, so an older copy is recognised. */
  function offerRecord(record) {
    if (record.version < version) return;
    version = record.version;
    handlers.onRecord(record);
  }

  async function catchUp() {
    const [record, rows, sessions] = await Promise.all([
      pb.collection("verifications").getOne(id),
      pb.collection("journal").getFullList({ filter: `${ofThis} && seq > ${lastSeq}`, sort: "seq" }),
      pb.collection("liveness_sessions").getFullList({ filter: ofThis, sort: "created" }),
    ]);
    if (stopped) return;
    rows.forEach(offer);
    sessions.forEach(handlers.onSession);
    offerRecord(record);
  }

  /** A failed read is repeated: the connection may be back before the server is. */
  async function catchUpSurely(delay = 500) {
    try {
      await catchUp();
      if (!stopped) handlers.onConnection(true);
    } catch (error) {
      console.warn("cannot read what happened meanwhile; trying again", error);
      if (!stopped) setTimeout(catchUpSurely, delay, Math.min(delay * 2, 10_000));
    }
  }

  const subscriptions = [
    pb.collection("verifications").subscribe(id, ({ record }) => offerRecord(record)),
    pb.collection("journal").subscribe("*", ({ record }) => {
      offer(record);
      if (waiting.size > 0) catchUpSurely();
    }, { filter: ofThis }),
    pb.collection("liveness_sessions").subscribe("*", ({ record }) => handlers.onSession(record), { filter: ofThis }),
    // Sent at every connect, after the subscriptions above are in force again.
    pb.realtime.subscribe("PB_CONNECT", () => catchUpSurely()),
  ];
  pb.realtime.onDisconnect = () => handlers.onConnection(false);

  const stops = await Promise.all(subscriptions);
  await catchUpSurely();
  return () => {
    stopped = true;
    stops.forEach((stop) => stop());
  };
}
