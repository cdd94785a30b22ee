// The facade as a partner's server calls it: an API key and plain HTTP.

export class Facade {
  constructor(stack) {
    this.url = stack.env.FACADE_URL;
    this.headers = { "x-api-key": stack.env.API_KEY };
  }

  async call(method, path, { json, form, headers = {} } = {}) {
    const body = json ? JSON.stringify(json) : form;
    const type = json ? { "content-type": "application/json" } : {};
    const answer = await fetch(this.url + path, { method, body, headers: { ...this.headers, ...type, ...headers } });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : null };
  }

  post(path, json, headers) {
    return this.call("POST", path, { json, headers });
  }

  document(verification, { type, front, back, device_event_id }) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ verification_id: verification, type, country: "UTO", front, back, device_event_id })) {
      if (value) form.set(name, value);
    }
    return this.call("POST", "/api/v1/document", { form });
  }

  /** Waits from version to version until `wanted` holds. */
  async until(id, wanted) {
    let etag;
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
      const headers = etag ? { "if-none-match": etag, prefer: "wait=20" } : {};
      const answer = await this.call("GET", `/api/v1/status/${id}`, { headers });
      if (answer.status === 200 && wanted(answer.body)) return answer.body;
      if (answer.status !== 200 && answer.status !== 304) throw new Error(`status answered ${answer.status} ${JSON.stringify(answer.body)}`);
      etag = answer.headers.get("etag") ?? etag;
    }
    throw new Error("the status did not become the wanted one in time");
  }
}
