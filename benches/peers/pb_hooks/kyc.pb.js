// The same job as a PocketBase hook: each record that a person sends is judged where it is created, by asking the providers at
// once. A peer of benches/run, written as one would write it: it uses what an author of hooks gets for free (no second
// process, no token, no subscription), and does not invent what they do not get (memory of what was in progress).

onRecordAfterCreateSuccess((e) => {
  e.next()
  require(`${__hooks}/kyc.js`).device(e.record)
}, 'device_signals')

onRecordAfterCreateSuccess((e) => {
  e.next()
  require(`${__hooks}/kyc.js`).document(e.record)
}, 'documents')

onRecordAfterCreateSuccess((e) => {
  e.next()
  require(`${__hooks}/kyc.js`).openChallenge(e.record)
}, 'liveness_sessions')

onRecordAfterCreateSuccess((e) => {
  e.next()
  if (e.record.getString('action') === 'liveness_completed') require(`${__hooks}/kyc.js`).faces(e.record)
}, 'actions')
