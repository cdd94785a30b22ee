// Follows one verification without gaps.
//
// Realtime loses events while the connection is down, and events can arrive out of order. The journal's numbers repair
// both: rows are shown in the order of `seq`, and after every (re)connect the rows above the last shown one are read.
// Subscribe before reading: a change in between arrives twice instead of never.

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

  /** Shows each row once and in order; a row that arrives too early waits for those before it. */
  function offer(row) {
    if (row.seq > lastSeq) waiting.set(row.seq, row);
    while (waiting.has(lastSeq + 1)) {
      const next = waiting.get(++lastSeq);
      waiting.delete(lastSeq);
      handlers.onRow(next);
    }
  }

  /** Shows the record. It carries the number of its last journal row, so an older copy is recognized. */
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

  /** Repeats a failed read: the connection may be back before the server is. */
  async function catchUpWithRetry(delay = 500) {
    try {
      await catchUp();
      if (!stopped) handlers.onConnection(true);
    } catch (error) {
      console.warn("cannot read the missed changes; trying again", error);
      if (!stopped) setTimeout(catchUpWithRetry, delay, Math.min(delay * 2, 10_000));
    }
  }

  const subscriptions = [
    pb.collection("verifications").subscribe(id, ({ record }) => offerRecord(record)),
    pb.collection("journal").subscribe("*", ({ record }) => {
      offer(record);
      if (waiting.size > 0) catchUpWithRetry();
    }, { filter: ofThis }),
    pb.collection("liveness_sessions").subscribe("*", ({ record }) => handlers.onSession(record), { filter: ofThis }),
    // Sent at every connect, after the subscriptions above are active again.
    pb.realtime.subscribe("PB_CONNECT", () => catchUpWithRetry()),
  ];
  pb.realtime.onDisconnect = () => handlers.onConnection(false);

  const stops = await Promise.all(subscriptions);
  await catchUpWithRetry();
  return () => {
    stopped = true;
    stops.forEach((stop) => stop());
  };
}
