// What the hooks do. Handlers share no state with the file that registers them, so this is a module of its own.

const rekognition = require(`${__hooks}/rekognition.js`)
const question = require(`${__hooks}/question.cjs`)

const CHECKS = 4

module.exports = {
  device(signal) {
    const event = ask('GET', `${$os.getenv('FINGERPRINT_BASE_URL')}/v4/events/${signal.getString('event_id')}`, {
      Authorization: `Bearer ${$os.getenv('FINGERPRINT_SECRET_KEY')}`,
    })
    const verification = signal.getString('verification')
    conclude(verification, 'device', question.trusted(event, verification), { suspect: event.suspect_score })
  },

  document(document) {
    const verification = document.getString('verification')
    const image = picture(document)
    const faces = rekognition.call('DetectFaces', { Image: { Bytes: image } }).FaceDetails
    const answer = ask(
      'POST',
      `${$os.getenv('OPENAI_BASE_URL')}/chat/completions`,
      { Authorization: `Bearer ${$os.getenv('OPENAI_API_KEY')}` },
      question.request($os.getenv('OPENAI_MODEL'), image),
    )
    const seen = JSON.parse(answer.choices[0].message.content)
    const declared = $app.findRecordById('verifications', verification)
    const agrees = question.agrees(seen, declared.getString('declared_name'), declared.getString('declared_document_number'))
    conclude(verification, 'document', agrees && faces.length > 0, { faces: faces.length }, seen)
  },

  openChallenge(session) {
    const opened = rekognition.call('CreateFaceLivenessSession', { ClientRequestToken: session.id })
    session.set('session_id', opened.SessionId)
    session.set('region', $os.getenv('AWS_REGION'))
    session.set('status', 'open')
    $app.save(session)
  },

  faces(action) {
    const verification = action.getString('verification')
    const session = $app.findRecordById('liveness_sessions', action.getString('liveness_session'))
    const result = rekognition.call('GetFaceLivenessSessionResults', { SessionId: session.getString('session_id') })
    const alive = result.Status === 'SUCCEEDED' && result.Confidence >= question.ALIVE
    conclude(verification, 'liveness', alive, { confidence: result.Confidence })
    const document = $app.findRecordsByFilter('documents', 'verification = {:id}', '-created', 1, 0, { id: verification })[0]
    const compared = rekognition.call('CompareFaces', {
      SourceImage: { Bytes: result.ReferenceImage.Bytes },
      TargetImage: { Bytes: picture(document) },
      SimilarityThreshold: 0,
    })
    const similarity = Math.max(0, ...compared.FaceMatches.map((match) => match.Similarity))
    conclude(verification, 'face_match', similarity >= question.SAME, { similarity })
  },
}

// Writes a finding, and the decision once all findings exist.
function conclude(verification, kind, passed, scores, extracted) {
  const outcome = passed ? 'passed' : 'failed'
  $app.save(new Record($app.findCollectionByNameOrId('checks'), { verification, kind, attempt: 1, outcome, scores, extracted }))
  const checks = $app.findRecordsByFilter('checks', 'verification = {:id}', '', 0, 0, { id: verification })
  if (checks.length < CHECKS) return
  const record = $app.findRecordById('verifications', verification)
  record.set('status', checks.every((check) => check.getString('outcome') === 'passed') ? 'approved' : 'declined')
  record.set('final', true)
  record.set('decision_source', 'automatic')
  record.set('decided_at', new DateTime())
  $app.save(record)
}

// The front of a document in base64. The engine has no base64 of its own, and takes a second per picture for it in JavaScript.
// So the system's base64 is called, which works where files are on this disk.
function picture(document) {
  const path = `${$app.dataDir()}/storage/${document.baseFilesPath()}/${document.getString('front')}`
  return toString($os.cmd('base64', '-w0', path).output())
}

function ask(method, url, headers, body) {
  const sent = body === undefined ? undefined : JSON.stringify(body)
  const answer = $http.send({ method, url, headers: { 'Content-Type': 'application/json', ...headers }, body: sent })
  if (answer.statusCode !== 200) throw new Error(`${method} ${url}: ${answer.statusCode}`)
  return answer.json
}
