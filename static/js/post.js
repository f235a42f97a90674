/* One way to send a form to the house: it never redirects, and says in words what went wrong. */

const token = () => document.cookie.match(/(?:^|; )(?:__Host-)?csrf=([^;]*)/)?.[1] ?? "";

export class NotSent extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** Posts a URLSearchParams. Returns the Response (2xx); throws NotSent with a sentence for the reviewer. */
export async function post(url, body, { seconds = 20, keepalive = false } = {}) {
  const csrf = token();
  if (csrf) body.set("csrfmiddlewaretoken", csrf);
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      body,
      headers: { "X-Review": "1" },
      redirect: "manual",
      keepalive: keepalive && String(body).length < 60000,
      signal: AbortSignal.timeout(seconds * 1000),
    });
  } catch (problem) {
    throw new NotSent(
      problem.name === "TimeoutError"
        ? `The server has not answered for ${seconds} seconds.`
        : "The server cannot be reached.",
    );
  }
  if (response.ok) return response;
  if (response.type === "opaqueredirect" || response.status === 401 || response.status === 403) {
    throw new NotSent("You have been signed out. Sign in again in another tab, then come back to this one.", 403);
  }
  const words = response.headers.get("Content-Type")?.startsWith("text/plain") ? await response.text() : "";
  throw new NotSent(words || `The server could not do it (error ${response.status}).`, response.status);
}
