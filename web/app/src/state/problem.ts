// What went wrong, as a stable code for which the page has words (i18n `problem.CODE` and `problem.CODE.hint`).

export interface Problem {
  code: string;
  /** What the other side of the wire said, for codes the page has no words for. */
  detail: string;
}

/** Any refusal: errors of the SDK carry their code. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Error) {
    const code = (error as { code?: unknown }).code;
    return { code: typeof code === "string" ? code : error.name, detail: error.message };
  }
  return { code: "error", detail: String(error) };
}

/** Why there is no camera or microphone (W3C Media Capture, getUserMedia). */
export function mediaProblem(error: DOMException, isSecure: boolean): Problem {
  const detail = error.message;
  if (!isSecure) return { code: "media_insecure", detail };
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return { code: "media_refused", detail };
    case "NotFoundError":
    case "OverconstrainedError":
      return { code: "media_missing", detail };
    case "NotReadableError":
    case "AbortError":
      return { code: "media_in_use", detail };
    default:
      return { code: "media_failed", detail };
  }
}

/** The same page over HTTPS: the server speaks both on one port. */
export function secureAddress(address: string): string {
  const secure = new URL(address);
  secure.protocol = "https:";
  return secure.href;
}
