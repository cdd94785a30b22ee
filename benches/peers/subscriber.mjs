// The same job as a Node service next to PocketBase: it subscribes to the records that a person sends with the SDK, and asks
// the providers through their own SDKs. A peer of benches/run, written as the SDKs' documentation suggests. It does not learn
// of what was created while it was away, nor of what it was doing when it died.

import {
  CompareFacesCommand,
  CreateFaceLivenessSessionCommand,
  DetectFacesCommand,
  GetFaceLivenessSessionResultsCommand,
  RekognitionClient,
} from '@aws-sdk/client-rekognition'
import { EventSource } from 'eventsource'
import OpenAI from 'openai'
import PocketBase from 'pocketbase'

import question from './pb_hooks/question.cjs'

const { POCKETBASE_URL, PB_USER_EMAIL, PB_USER_PASSWORD, OPENAI_MODEL, FINGERPRINT_BASE_URL, FINGERPRINT_SECRET_KEY } = process.env
const CHECKS = 4

globalThis.EventSource = EventSource
const pb = new PocketBase(POCKETBASE_URL)
pb.autoCancellation(false)
await pb.collection('services').authWithPassword(PB_USER_EMAIL, PB_USER_PASSWORD)
// Both read their keys and addresses from the environment.
const openai = new OpenAI()
const rekognition = new RekognitionClient()

const on = (collection, handle) =>
  pb.collection(collection).subscribe('*', ({ action, record }) => {
    if (action === 'create') handle(record).catch((error) => console.error(`${collection} ${record.id}: ${error.message}`))
  })

await on('device_signals', async (signal) => {
  const answer = await fetch(`${FINGERPRINT_BASE_URL}/v4/events/${signal.event_id}`, {
    headers: { Authorization: `Bearer ${FINGERPRINT_SECRET_KEY}` },
  })
  if (!answer.ok) throw new Error(`Fingerprint: ${answer.status}`)
  const event = await answer.json()
  await conclude(signal.verification, 'device', question.trusted(event, signal.verification), { suspect: event.suspect_score })
})

await on('documents', async (document) => {
  const image = await picture(document)
  const [{ FaceDetails: faces }, answer, declared] = await Promise.all([
    rekognition.send(new DetectFacesCommand({ Image: { Bytes: image } })),
    openai.chat.completions.create(question.request(OPENAI_MODEL, image.toString('base64'))),
    pb.collection('verifications').getOne(document.verification),
  ])
  const seen = JSON.parse(answer.choices[0].message.content)
  const agrees = question.agrees(seen, declared.declared_name, declared.declared_document_number)
  await conclude(document.verification, 'document', agrees && faces.length > 0, { faces: faces.length }, seen)
})

await on('liveness_sessions', async (session) => {
  const opened = await rekognition.send(new CreateFaceLivenessSessionCommand({ ClientRequestToken: session.id }))
  const changes = { session_id: opened.SessionId, region: process.env.AWS_REGION, status: 'open' }
  await pb.collection('liveness_sessions').update(session.id, changes)
})

await on('actions', async (action) => {
  if (action.action !== 'liveness_completed') return
  const { verification } = action
  const session = await pb.collection('liveness_sessions').getOne(action.liveness_session)
  const result = await rekognition.send(new GetFaceLivenessSessionResultsCommand({ SessionId: session.session_id }))
  const alive = result.Status === 'SUCCEEDED' && result.Confidence >= question.ALIVE
  await conclude(verification, 'liveness', alive, { confidence: result.Confidence })
  const document = await pb.collection('documents').getFirstListItem(`verification = '${verification}'`, { sort: '-created' })
  const compared = await rekognition.send(
    new CompareFacesCommand({
      SourceImage: { Bytes: result.ReferenceImage.Bytes },
      TargetImage: { Bytes: await picture(document) },
      SimilarityThreshold: 0,
    }),
  )
  const similarity = Math.max(0, ...compared.FaceMatches.map((match) => match.Similarity))
  await conclude(verification, 'face_match', similarity >= question.SAME, { similarity })
})

console.log('ready')

// Writes a finding, and the decision once all findings exist.
async function conclude(verification, kind, passed, scores, extracted = null) {
  await pb.collection('checks').create({ verification, kind, attempt: 1, outcome: passed ? 'passed' : 'failed', scores, extracted })
  const checks = await pb.collection('checks').getFullList({ filter: `verification = '${verification}'` })
  if (checks.length < CHECKS) return
  await pb.collection('verifications').update(verification, {
    status: checks.every((check) => check.outcome === 'passed') ? 'approved' : 'declined',
    final: true,
    decision_source: 'automatic',
    decided_at: new Date(),
  })
}

async function picture(document) {
  const answer = await fetch(pb.files.getURL(document, document.front, { token: await pb.files.getToken() }))
  if (!answer.ok) throw new Error(`the picture: ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}
