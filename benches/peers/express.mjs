// The facade's two busiest endpoints, as one would write them with Express and PocketBase's SDK. benches/run compares the
// facade with them: same key check, same records, same shape of the answer.

import express from 'express'
import PocketBase from 'pocketbase'

const { POCKETBASE_URL, PB_USER_EMAIL, PB_USER_PASSWORD, API_KEY } = process.env

const service = client()
await service.collection('services').authWithPassword(PB_USER_EMAIL, PB_USER_PASSWORD)

const app = express()
app.use(express.json())

app.get('/api/v1/status/:id', async (req, res) => {
  if (req.get('X-API-Key') !== API_KEY) return res.status(401).json({ title: 'Unauthorized' })
  try {
    res.json(view(await service.collection('verifications').getOne(req.params.id)))
  } catch (error) {
    res.status(error.status || 500).json({ title: error.message })
  }
})

app.post('/api/v1/verify', async (req, res) => {
  const token = (req.get('Authorization') ?? '').replace(/^Bearer /, '')
  try {
    // Only PocketBase can say whose token it is.
    const person = client()
    person.authStore.save(token, null)
    const { record } = await person.collection('users').authRefresh()
    const { declared, consent, locale } = req.body
    const created = await person.collection('verifications').create({
      user: record.id,
      declared_name: declared.name,
      declared_date_of_birth: declared.date_of_birth,
      declared_document_type: declared.document_type,
      declared_document_number: declared.document_number,
      declared_country: declared.country,
      consent_version: consent.version,
      consent_given_at: consent.given_at,
      locale,
    })
    res.status(201).location(`/api/v1/status/${created.id}`).json(view(created))
  } catch (error) {
    res.status(error.status || 500).json({ title: error.message })
  }
})

function client() {
  const pb = new PocketBase(POCKETBASE_URL)
  pb.autoCancellation(false)
  return pb
}

function view(record) {
  return {
    id: record.id,
    status: record.status || 'created',
    final: record.final,
    version: record.version,
    next: record.next ?? [],
    results: record.results ?? {},
    reasons: record.reasons ?? [],
    attempts: { used: record.attempts_used, max: record.attempts_max },
    created: record.created,
    updated: record.updated,
    expires_at: record.expires_at || null,
    decided_at: record.decided_at || null,
  }
}

const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
