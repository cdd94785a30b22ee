// Rekognition over HTTP. A hook has no SDK, and PocketBase's own helpers take keys as text. So the part of Signature Version 4
// whose keys are bytes is computed here; PocketBase hashes the body.

const SERVICE = 'rekognition'
const BLOCK = 64

module.exports = {
  call(operation, parameters) {
    const endpoint = $os.getenv('AWS_ENDPOINT_URL')
    const body = JSON.stringify(parameters)
    const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    const signed = {
      'content-type': 'application/x-amz-json-1.1',
      host: endpoint.replace(/^https?:\/\//, ''),
      'x-amz-date': at,
      'x-amz-target': `RekognitionService.${operation}`,
    }
    const { host, ...headers } = signed
    headers.authorization = authorization(signed, body, at)
    const answer = $http.send({ method: 'POST', url: `${endpoint}/`, headers, body })
    if (answer.statusCode !== 200) throw new Error(`${operation}: ${answer.statusCode}`)
    return answer.json
  },
}

function authorization(headers, body, at) {
  const names = Object.keys(headers).sort()
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('')
  const request = `POST\n/\n\n${lines}\n${names.join(';')}\n${$security.sha256(body)}`
  const scope = `${at.slice(0, 8)}/${$os.getenv('AWS_REGION')}/${SERVICE}/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${$security.sha256(request)}`
  const key = scope.split('/').reduce((key, part) => hmac(key, bytes(part)), bytes(`AWS4${$os.getenv('AWS_SECRET_ACCESS_KEY')}`))
  const signature = hmac(key, bytes(text)).map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const credential = `${$os.getenv('AWS_ACCESS_KEY_ID')}/${scope}`
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

// --- HMAC-SHA-256 over bytes (RFC 2104, FIPS 180-4) ----------------------------------------------------------------

function hmac(key, text) {
  const padded = [...(key.length > BLOCK ? sha256(key) : key)]
  while (padded.length < BLOCK) padded.push(0)
  const inner = sha256([...padded.map((byte) => byte ^ 0x36), ...text])
  return sha256([...padded.map((byte) => byte ^ 0x5c), ...inner])
}

// Only ASCII is signed here.
function bytes(text) {
  return [...text].map((letter) => letter.charCodeAt(0))
}

const PRIMES = primes(64)
const ROUNDS = PRIMES.map((prime) => fraction(Math.cbrt(prime)))
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))

function primes(count) {
  const found = []
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime)) found.push(n)
  return found
}

function fraction(root) {
  return ((root - Math.floor(root)) * 2 ** 32) | 0
}

function rotate(word, by) {
  return (word >>> by) | (word << (32 - by))
}

function sha256(message) {
  const padded = [...message, 0x80]
  while (padded.length % BLOCK !== 56) padded.push(0)
  const bits = message.length * 8
  padded.push(0, 0, 0, 0, bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255)
  let state = START
  for (let at = 0; at < padded.length; at += BLOCK) state = compress(state, padded.slice(at, at + BLOCK))
  return state.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255])
}

function compress(state, block) {
  const w = []
  for (let i = 0; i < 16; i++) w.push((block[4 * i] << 24) | (block[4 * i + 1] << 16) | (block[4 * i + 2] << 8) | block[4 * i + 3])
  for (let i = 16; i < 64; i++) {
    const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3)
    const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10)
    w.push((w[i - 16] + s0 + w[i - 7] + s1) | 0)
  }
  let [a, b, c, d, e, f, g, h] = state
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const one = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) | 0
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + state[i]) | 0)
}
