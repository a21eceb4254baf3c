//! The HTTP request head -> an upgrade to WebSocket, or a refusal. We read the head ourselves, because
//! the WebSocket library answers nothing at all to what is not an upgrade, and refuses bytes that
//! come right behind the head.

use std::net::IpAddr;

use data_encoding::BASE64;
use tungstenite::Bytes;
use tungstenite::handshake::derive_accept_key;

/// Longest request head; what a browser sends is a tenth of it.
pub const HEAD_MAX: usize = 16 << 10;

/// Most headers in a head.
const HEADERS_MAX: usize = 100;

/// Who may connect.
#[derive(Clone, Default, Debug)]
pub struct Admission {
    /// Origins whose web pages may connect.
    pub origins: Vec<String>,
    /// What has to follow `Authorization: Bearer`.
    pub token: Option<String>,
}

/// What to do with what has been read so far.
#[derive(PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The head is not complete yet.
    Incomplete,
    /// Send this and speak WebSocket; the head ends at the given byte.
    Upgrade(Bytes, usize),
    /// Send this and close.
    Refuse(Refusal, Bytes),
}

/// Why a connection is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The head is not HTTP, or its WebSocket key is none.
    Malformed,
    /// The token is wrong or missing.
    Token,
    /// A web page whose origin is not allowed.
    Origin,
    /// A name that may have been pointed at us by somebody else.
    Host,
    /// Not a WebSocket upgrade.
    NotWebSocket,
    /// The head is too long.
    TooLong,
    /// There are too many connections.
    Full,
}

impl Refusal {
    /// Status line and text of the answer.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Refusal::Malformed => ("400 Bad Request", "this is not a WebSocket handshake"),
            Refusal::Token => (
                "401 Unauthorized",
                "a bearer token is required: the one in the daemon's --token-file",
            ),
            Refusal::Origin => {
                ("403 Forbidden", "web pages of this origin may not connect without --allow-origin")
            }
            Refusal::Host => (
                "403 Forbidden",
                "this daemon is not known by that host name: connect to its address",
            ),
            Refusal::NotWebSocket => (
                "426 Upgrade Required",
                "this is the puya compiler daemon; it speaks JSON-RPC 2.0 over WebSocket",
            ),
            Refusal::TooLong => ("431 Request Header Fields Too Large", "the head is too long"),
            Refusal::Full => {
                ("503 Service Unavailable", "too many connections (--max-connections)")
            }
        }
    }
    /// The whole answer.
    pub fn response(self) -> Bytes {
        let (status, text) = self.words();
        let extra = match self {
            Refusal::NotWebSocket => {
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade, close\r\n"
            }
            Refusal::Token => "WWW-Authenticate: Bearer\r\nConnection: close\r\n",
            _ => "Connection: close\r\n",
        };
        let length = text.len() + 1;
        format!(
            "HTTP/1.1 {status}\r\n{extra}Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\n\r\n{text}\n"
        )
        .into()
    }
}

/// Judges the start of a connection.
pub fn judge(input: &[u8], admission: &Admission) -> Verdict {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let refuse = |refusal: Refusal| Verdict::Refuse(refusal, refusal.response());
    let head_length = match request.parse(input) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_MAX => length,
        Ok(httparse::Status::Partial) if input.len() < HEAD_MAX => return Verdict::Incomplete,
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return refuse(Refusal::TooLong),
        Err(_) => return refuse(Refusal::Malformed),
    };
    match check(&request, admission) {
        Err(refusal) => refuse(refusal),
        Ok(key) => {
            let accept = derive_accept_key(key);
            let response = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            Verdict::Upgrade(response.into(), head_length)
        }
    }
}

/// The WebSocket key of a request that may connect.
fn check<'b>(
    request: &httparse::Request<'_, 'b>,
    admission: &Admission,
) -> Result<&'b [u8], Refusal> {
    let all = |name: &'static str| {
        request
            .headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    };
    // a header that stands twice is no header: proxies disagree on which one counts
    let single = |name: &'static str| {
        let mut values = all(name);
        values.next().filter(|_| values.next().is_none())
    };
    let is_allowed = |origin: &[u8]| {
        admission.origins.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin))
    };
    if !all("origin").all(is_allowed) {
        return Err(Refusal::Origin);
    }
    if !single("host").is_some_and(is_own_host) {
        return Err(Refusal::Host);
    }
    if let Some(token) = &admission.token {
        let given = single("authorization").and_then(bearer).unwrap_or_default();
        if !is_equal_in_constant_time(given, token.as_bytes()) {
            return Err(Refusal::Token);
        }
    }
    let lists = |name: &'static str, word: &str| {
        all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    };
    let is_upgrade = request.method == Some("GET")
        && request.version == Some(1)
        && lists("connection", "upgrade")
        && lists("upgrade", "websocket")
        && single("sec-websocket-version") == Some(b"13");
    if !is_upgrade {
        return Err(Refusal::NotWebSocket);
    }
    let key = single("sec-websocket-key").ok_or(Refusal::Malformed)?;
    match BASE64.decode(key) {
        Ok(bytes) if bytes.len() == 16 => Ok(key),
        _ => Err(Refusal::Malformed),
    }
}

/// Whether a `Host` header names us in a way that nobody else can make point here: an address or
/// `localhost`. (We are never bound to any other name.)
fn is_own_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, rest)) = rest.split_once(']') else { return false };
        let is_end = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return is_end && address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let name = match host.split_once(':') {
        Some((name, port)) if is_port(port) => name,
        Some(_) => return false,
        None => host,
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// The token of an `Authorization` header.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token.trim_ascii())
}

/// Compares without telling by its duration how much is right.
fn is_equal_in_constant_time(given: &[u8], wanted: &[u8]) -> bool {
    let difference = given.iter().zip(wanted).fold(0, |sum, (a, b)| sum | (a ^ b));
    given.len() == wanted.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8765\r\nConnection: keep-alive, Upgrade\r\n\
        Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    fn judged(head: &str, admission: &Admission) -> Option<Refusal> {
        match judge(head.as_bytes(), admission) {
            Verdict::Upgrade(..) => None,
            Verdict::Refuse(refusal, _) => Some(refusal),
            Verdict::Incomplete => panic!("incomplete"),
        }
    }

    fn with(extra: &str) -> String {
        GOOD.replacen("\r\n", &format!("\r\n{extra}\r\n"), 1)
    }

    #[test]
    fn a_good_head_is_answered_as_the_standard_says() {
        let mut input = GOOD.as_bytes().to_vec();
        input.extend([0x81, 0x80]);
        let Verdict::Upgrade(response, end) = judge(&input, &Admission::default()) else {
            panic!("refused")
        };
        assert_eq!(end, GOOD.len());
        let response = std::str::from_utf8(&response).unwrap();
        assert!(response.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        for cut in 0..GOOD.len() {
            assert_eq!(judge(&GOOD.as_bytes()[..cut], &Admission::default()), Verdict::Incomplete);
        }
    }

    #[test]
    fn hosts_that_others_may_point_here_are_refused() {
        let none = Admission::default();
        for host in ["localhost", "LOCALHOST:1", "[::1]:8765", "[::1]", "10.0.0.1", "127.0.0.1:9"] {
            assert_eq!(judged(&GOOD.replace("127.0.0.1:8765", host), &none), None, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "[::1", "127.0.0.1:x", "", "::1"] {
            let head = GOOD.replace("127.0.0.1:8765", host);
            assert_eq!(judged(&head, &none), Some(Refusal::Host), "{host}");
        }
        assert_eq!(judged(&with("Host: localhost"), &none), Some(Refusal::Host));
        let headless = GOOD.replace("Host: 127.0.0.1:8765\r\n", "");
        assert_eq!(judged(&headless, &none), Some(Refusal::Host));
    }

    #[test]
    fn web_pages_need_leave() {
        let page = with("Origin: https://app.example");
        assert_eq!(judged(&page, &Admission::default()), Some(Refusal::Origin));
        assert_eq!(judged(&with("Origin: null"), &Admission::default()), Some(Refusal::Origin));
        let origins = vec!["https://app.example".to_owned()];
        let some = Admission { origins, token: None };
        assert_eq!(judged(&page, &some), None);
        let both = with("Origin: https://app.example\r\nOrigin: https://evil.example");
        assert_eq!(judged(&both, &some), Some(Refusal::Origin));
    }

    #[test]
    fn the_token_has_to_match() {
        let guarded = Admission { origins: vec![], token: Some("abc".to_owned()) };
        assert_eq!(judged(GOOD, &guarded), Some(Refusal::Token));
        for wrong in ["Bearer abd", "Bearer ab", "Bearer abcd", "Basic abc", "Bearer", ""] {
            let head = with(&format!("Authorization: {wrong}"));
            assert_eq!(judged(&head, &guarded), Some(Refusal::Token), "{wrong}");
        }
        assert_eq!(judged(&with("Authorization: bearer abc"), &guarded), None);
    }

    #[test]
    fn what_is_no_upgrade_is_told_so() {
        let none = Admission::default();
        let cases = [
            ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), Refusal::NotWebSocket),
            (GOOD.replace("GET", "POST"), Refusal::NotWebSocket),
            (GOOD.replace("HTTP/1.1", "HTTP/1.0"), Refusal::NotWebSocket),
            (GOOD.replace("Version: 13", "Version: 8"), Refusal::NotWebSocket),
            (GOOD.replace("ZQ==", ""), Refusal::Malformed),
            ("\x16\x03\x01\x02\x00\x01".to_owned(), Refusal::Malformed),
            (format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(HEAD_MAX)), Refusal::TooLong),
            (format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101)), Refusal::TooLong),
        ];
        for (head, refusal) in cases {
            assert_eq!(judged(&head, &none), Some(refusal), "{head:.60}");
        }
    }
}
