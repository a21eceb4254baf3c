//! Arguments -> what to do, and the help text: both are made from the one table of flags.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::diagnostics::Severity;
use crate::diagnostics::render::LogFormat;

/// What the program calls itself; tools parse this line.
pub const VERSION: &str = concat!("puya ", env!("CARGO_PKG_VERSION"));

/// The port a daemon listens on where nothing else is said.
pub const DEFAULT_PORT: u16 = 8765;

const MEBIBYTE: usize = 1 << 20;

/// What the arguments ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Compile once.
    Compile(CompileArgs),
    /// Serve WebSocket clients.
    Daemon(DaemonArgs),
    /// Stop a daemon.
    DaemonStop(Endpoint),
    /// Ask a daemon how it is.
    DaemonStatus(Endpoint),
    /// Serve one client over stdin and stdout.
    Serve(LogArgs),
    /// Print the help text.
    Help,
    /// Print the version.
    Version,
}

/// How to log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogArgs {
    /// The lowest level shown; none shows all.
    pub level: Option<Severity>,
    /// The layout of a line.
    pub format: LogFormat,
}

/// Which daemon is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Its address.
    pub host: IpAddr,
    /// Its port.
    pub port: u16,
    /// Where it keeps its pid, if not in the usual place.
    pub pid_file: Option<PathBuf>,
    /// Where the token is that it asks for.
    pub token_file: Option<PathBuf>,
}

/// What to compile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompileArgs {
    /// The AWST document, perhaps compressed.
    pub awst: PathBuf,
    /// The options document.
    pub options: PathBuf,
    /// The source annotations.
    pub source_annotations: Option<PathBuf>,
    /// How to log.
    pub log: LogArgs,
    /// Whether to let a daemon compile.
    pub use_daemon: bool,
    /// Whether not to start one.
    pub no_auto_start: bool,
    /// Which one.
    pub endpoint: Endpoint,
}

/// How to serve WebSocket clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DaemonArgs {
    /// Where to listen.
    pub endpoint: Endpoint,
    /// How to log.
    pub log: LogArgs,
    /// Whether to go to the background.
    pub detach: bool,
    /// Where the log goes instead of stderr.
    pub log_file: Option<PathBuf>,
    /// Stop after so long without a request.
    pub idle_timeout: Option<Duration>,
    /// Largest request in bytes.
    pub max_message_size: usize,
    /// Connections beyond this are refused.
    pub max_connections: usize,
    /// How long one compilation may take.
    pub compile_timeout: Duration,
    /// The only folder in which files may be written.
    pub output_root: Option<PathBuf>,
    /// Origins of web pages that may connect.
    pub allow_origins: Vec<String>,
}

/// A mistake in the arguments: one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageError(pub String);

/// The commands a flag belongs to, as a set of bits.
mod for_command {
    pub(super) const COMPILE: u8 = 1;
    pub(super) const DAEMON: u8 = 2;
    pub(super) const STOP: u8 = 4;
    pub(super) const STATUS: u8 = 8;
    pub(super) const SERVE: u8 = 16;
    pub(super) const ENDPOINT: u8 = COMPILE | DAEMON | STOP | STATUS;
    pub(super) const ALL: u8 = u8::MAX;
}
use for_command::{ALL, COMPILE, DAEMON, ENDPOINT, SERVE, STATUS, STOP};

/// One row of the table.
struct Flag {
    name: &'static str,
    /// What stands for its value in the help; none for a switch.
    value: Option<&'static str>,
    commands: u8,
    repeatable: bool,
    help: &'static str,
}

const fn switch(name: &'static str, commands: u8, help: &'static str) -> Flag {
    Flag { name, value: None, commands, repeatable: false, help }
}

const fn option(name: &'static str, value: &'static str, commands: u8, help: &'static str) -> Flag {
    Flag { name, value: Some(value), commands, repeatable: false, help }
}

const FLAGS: &[Flag] = &[
    option("--awst", "FILE", COMPILE, "the AWST document; .gz and .gzip are unpacked"),
    option("--options", "FILE", COMPILE, "the options document"),
    option("--source-annotations", "FILE", COMPILE, "the lines of the source files, as JSON"),
    switch("--use-daemon", COMPILE, "let a daemon compile, starting one if needed"),
    switch("--no-auto-start", COMPILE, "with --use-daemon: do not start one"),
    switch("--daemon", DAEMON, "serve WebSocket JSON-RPC until stopped"),
    switch("--daemon-stop", STOP, "stop the daemon on that host and port, gracefully"),
    switch("--daemon-status", STATUS, "print the daemon's health as JSON; exit 1 if unhealthy"),
    option("--host", "ADDRESS", ENDPOINT, "an IP address or localhost [127.0.0.1]"),
    option("--port", "PORT", ENDPOINT, "its port; 0 picks a free one [8765]"),
    option("--pid-file", "FILE", ENDPOINT, "where the daemon keeps its pid [~/.puya/daemon.pid]"),
    option("--token-file", "FILE", ENDPOINT, "ask for, or send, the token in FILE"),
    switch("--detach", DAEMON, "start in the background and return once it answers"),
    option("--log-file", "FILE", DAEMON, "append the log there instead of stderr"),
    option("--idle-timeout", "SECONDS", DAEMON, "stop after that long without a request"),
    option("--max-message-size", "BYTES", DAEMON, "largest request accepted [67108864]"),
    option("--max-connections", "N", DAEMON, "further connections are refused [256]"),
    option("--compile-timeout", "SECONDS", DAEMON, "a compilation past it fails [30]"),
    option("--output-root", "DIR", DAEMON, "refuse to write outside DIR"),
    Flag {
        name: "--allow-origin",
        value: Some("ORIGIN"),
        commands: DAEMON,
        repeatable: true,
        help: "let web pages of that origin connect (repeatable)",
    },
    option(
        "--log-level",
        "LEVEL",
        COMPILE | DAEMON | SERVE,
        "notset, debug, info, warning, error or critical [info]",
    ),
    option("--log-format", "FORMAT", COMPILE | DAEMON, "default or json [default]"),
    switch("--version", ALL, "print the version"),
    switch("--help", ALL, "print this text (also -h)"),
];

/// The lines above the table of flags in the help, and below the message of a usage error.
pub const USAGE: &str = "\
Usage: puya --awst FILE --options FILE [--source-annotations FILE] [--use-daemon [--no-auto-start]]
       puya --daemon [--detach] [OPTIONS]
       puya --daemon-stop | --daemon-status [--host ADDRESS] [--port PORT]
       puya serve [--log-level LEVEL]";

/// The help text.
pub fn help() -> String {
    let mut out = String::from("Compiles AWST to programs of the Algorand virtual machine.\n\n");
    out.push_str(USAGE);
    out.push_str("\n\n  serve                        serve one client over stdin and stdout\n");
    for flag in FLAGS {
        let usage = match flag.value {
            Some(value) => format!("{} {value}", flag.name),
            None => flag.name.to_owned(),
        };
        writeln!(out, "  {usage:<28} {}", flag.help).expect("a string takes every text");
    }
    out
}

/// The flags given, each with its value (empty for a switch).
struct Given(Vec<(&'static Flag, OsString)>);

impl Given {
    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }
    fn value(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find(|given| given.0.name == name).map(|given| given.1.as_os_str())
    }
    fn values(&self, name: &str) -> impl Iterator<Item = &OsStr> {
        self.0.iter().filter(move |given| given.0.name == name).map(|given| given.1.as_os_str())
    }
    fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }
    /// A value as text, and what `parse` makes of it.
    fn parsed<T>(
        &self,
        name: &str,
        default: T,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, UsageError> {
        let Some(value) = self.value(name) else { return Ok(default) };
        value.to_str().and_then(parse).ok_or_else(|| {
            let value = value.to_string_lossy();
            UsageError(format!("Invalid value \"{value}\" for {name}. {wanted}"))
        })
    }
    fn existing_file(&self, name: &str) -> Result<Option<PathBuf>, UsageError> {
        let Some(path) = self.path(name) else { return Ok(None) };
        let problem = if path.is_dir() {
            "is not a file"
        } else if path.exists() {
            return Ok(Some(path));
        } else {
            "does not exist"
        };
        let path = path.display();
        Err(UsageError(format!("Invalid value \"{path}\" for {name}. \"{path}\" {problem}.")))
    }
}

/// Reads the arguments, the program's name not among them.
pub fn parse(arguments: Vec<OsString>) -> Result<Command, UsageError> {
    let given = match take_flags(arguments)? {
        Taken::Flags { given, serve } => {
            if given.has("--help") {
                return Ok(Command::Help);
            }
            if given.has("--version") {
                return Ok(Command::Version);
            }
            let command = choose_command(&given, serve)?;
            check_belong(&given, command)?;
            (given, command)
        }
        Taken::Help => return Ok(Command::Help),
    };
    build(&given.0, given.1)
}

enum Taken {
    Flags { given: Given, serve: bool },
    Help,
}

fn take_flags(mut arguments: Vec<OsString>) -> Result<Taken, UsageError> {
    let serve = arguments.first().is_some_and(|first| first == "serve");
    if serve {
        arguments.remove(0);
    }
    if arguments.iter().any(|argument| argument == "-h") {
        return Ok(Taken::Help);
    }
    let arguments = arguments.into_iter().flat_map(split_at_equals).collect();
    let mut arguments = pico_args::Arguments::from_vec(arguments);
    let mut given = Vec::new();
    for flag in FLAGS {
        if flag.value.is_none() {
            while arguments.contains(flag.name) {
                given.push((flag, OsString::new()));
            }
            continue;
        }
        let keep = |value: &OsStr| Ok::<_, std::convert::Infallible>(value.to_owned());
        loop {
            match arguments.opt_value_from_os_str(flag.name, keep) {
                Ok(Some(value)) if !value.to_string_lossy().starts_with("--") => {
                    given.push((flag, value));
                }
                Ok(None) => break,
                _ => {
                    let name = flag.name;
                    return Err(UsageError(format!("Parameter {name} requires an argument.")));
                }
            }
        }
    }
    if let Some(rest) = arguments.finish().first() {
        let rest = rest.to_string_lossy();
        return Err(UsageError(if rest.starts_with('-') {
            format!("Unknown option: {rest}.")
        } else {
            format!("Unused token: \"{rest}\".")
        }));
    }
    let given = Given(given);
    for flag in FLAGS {
        if !flag.repeatable && given.values(flag.name).nth(1).is_some() {
            return Err(UsageError(format!("Parameter {} specified multiple times.", flag.name)));
        }
    }
    Ok(Taken::Flags { given, serve })
}

/// `--flag=value` as two arguments. The library does that too, but only for values that are UTF-8.
fn split_at_equals(argument: OsString) -> Vec<OsString> {
    let bytes = argument.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) if bytes.starts_with(b"--") => {
            let [name, value] = [&bytes[..at], &bytes[at + 1..]];
            vec![OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value).to_owned()]
        }
        _ => vec![argument],
    }
}

/// The one command the arguments name; compiling, when they name none.
fn choose_command(given: &Given, serve: bool) -> Result<(&'static str, u8), UsageError> {
    let named = [
        ("serve", SERVE, serve),
        ("--daemon", DAEMON, given.has("--daemon")),
        ("--daemon-stop", STOP, given.has("--daemon-stop")),
        ("--daemon-status", STATUS, given.has("--daemon-status")),
        ("--awst", COMPILE, given.has("--awst")),
    ];
    let mut chosen = named.iter().filter(|command| command.2);
    match (chosen.next(), chosen.next()) {
        (Some(first), Some(second)) => {
            Err(UsageError(format!("{} and {} exclude each other.", first.0, second.0)))
        }
        (Some(one), None) => Ok((one.0, one.1)),
        _ => Ok(("--awst", COMPILE)),
    }
}

fn check_belong(given: &Given, command: (&'static str, u8)) -> Result<(), UsageError> {
    match given.0.iter().find(|given| given.0.commands & command.1 == 0) {
        Some((flag, _)) => {
            Err(UsageError(format!("{} cannot be used with {}.", flag.name, command.0)))
        }
        None => Ok(()),
    }
}

fn build(given: &Given, command: (&'static str, u8)) -> Result<Command, UsageError> {
    let log = log_args(given)?;
    Ok(match command.1 {
        SERVE => Command::Serve(log),
        STOP => Command::DaemonStop(known_endpoint(given)?),
        STATUS => Command::DaemonStatus(known_endpoint(given)?),
        DAEMON => Command::Daemon(daemon_args(given, log)?),
        _ => Command::Compile(compile_args(given, log)?),
    })
}

fn compile_args(given: &Given, log: LogArgs) -> Result<CompileArgs, UsageError> {
    let required = |name: &str| {
        given
            .existing_file(name)?
            .ok_or_else(|| UsageError(format!("Parameter {name} requires an argument.")))
    };
    let (awst, options) = (required("--awst")?, required("--options")?);
    let use_daemon = given.has("--use-daemon");
    if !use_daemon {
        let about_daemons = ["--no-auto-start", "--host", "--port", "--pid-file", "--token-file"];
        if let Some(name) = about_daemons.iter().find(|name| given.has(name)) {
            return Err(UsageError(format!("{name} needs --use-daemon.")));
        }
    }
    Ok(CompileArgs {
        awst,
        options,
        source_annotations: given.existing_file("--source-annotations")?,
        log,
        use_daemon,
        no_auto_start: given.has("--no-auto-start"),
        endpoint: known_endpoint(given)?,
    })
}

fn daemon_args(given: &Given, log: LogArgs) -> Result<DaemonArgs, UsageError> {
    let seconds = |text: &str| {
        let seconds: f64 = text.parse().ok().filter(|seconds| *seconds > 0.0)?;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let wanted_seconds = "It must be a number of seconds above 0.";
    let positive = |text: &str| text.parse().ok().filter(|number| *number > 0_usize);
    let allow_origins = given.values("--allow-origin").map(|origin| {
        let text = origin.to_str().filter(|text| is_origin(text)).map(str::to_owned);
        text.ok_or_else(|| {
            let origin = origin.to_string_lossy();
            UsageError(format!(
                "Invalid value \"{origin}\" for --allow-origin. It must be like \
                 \"https://app.example\", without a path, or \"null\"."
            ))
        })
    });
    Ok(DaemonArgs {
        endpoint: endpoint(given)?,
        log,
        detach: given.has("--detach"),
        log_file: given.path("--log-file"),
        idle_timeout: given
            .parsed("--idle-timeout", None, wanted_seconds, |text| seconds(text).map(Some))?,
        max_message_size: given.parsed(
            "--max-message-size",
            64 * MEBIBYTE,
            "It must be a number of bytes above 0.",
            positive,
        )?,
        max_connections: given.parsed(
            "--max-connections",
            256,
            "It must be a number above 0.",
            positive,
        )?,
        compile_timeout: given.parsed(
            "--compile-timeout",
            Duration::from_secs(30),
            wanted_seconds,
            seconds,
        )?,
        output_root: given.path("--output-root"),
        allow_origins: allow_origins.collect::<Result<_, _>>()?,
    })
}

/// Whether a browser may send this as the origin of a page; anything else would never match.
fn is_origin(text: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
    };
    text == "null"
        || text.split_once("://").is_some_and(|(scheme, host)| is_plain(scheme) && is_plain(host))
}

/// The address of a daemon that runs already.
fn known_endpoint(given: &Given) -> Result<Endpoint, UsageError> {
    let endpoint = endpoint(given)?;
    if endpoint.port == 0 {
        let message = "Invalid value \"0\" for --port. Only a daemon that starts can pick one.";
        return Err(UsageError(message.to_owned()));
    }
    Ok(endpoint)
}

fn endpoint(given: &Given) -> Result<Endpoint, UsageError> {
    let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
    // names are never looked up: a resolver could block, and a name could point anywhere
    let address = |text: &str| {
        if text.eq_ignore_ascii_case("localhost") { Some(localhost) } else { text.parse().ok() }
    };
    Ok(Endpoint {
        host: given.parsed(
            "--host",
            localhost,
            "It must be an IP address or localhost.",
            address,
        )?,
        port: given.parsed(
            "--port",
            DEFAULT_PORT,
            "It must be a number from 0 to 65535.",
            |text| text.parse().ok(),
        )?,
        pid_file: given.path("--pid-file"),
        token_file: given.path("--token-file"),
    })
}

fn log_args(given: &Given) -> Result<LogArgs, UsageError> {
    const LEVELS: [(&str, Option<Severity>); 6] = [
        ("notset", None),
        ("debug", Some(Severity::Debug)),
        ("info", Some(Severity::Info)),
        ("warning", Some(Severity::Warning)),
        ("error", Some(Severity::Error)),
        ("critical", Some(Severity::Critical)),
    ];
    let level = |text: &str| LEVELS.iter().find(|level| level.0 == text).map(|level| level.1);
    let names = LEVELS.map(|level| format!("\"{}\"", level.0)).join(", ");
    Ok(LogArgs {
        level: given.parsed(
            "--log-level",
            Some(Severity::Info),
            &format!("Choose from: {names}."),
            level,
        )?,
        format: given.parsed(
            "--log-format",
            LogFormat::Default,
            "Choose from: \"default\", \"json\".",
            |text| match text {
                "default" => Some(LogFormat::Default),
                "json" => Some(LogFormat::Json),
                _ => None,
            },
        )?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from).collect()).map_err(|error| error.0)
    }

    #[test]
    fn commands_are_told_apart() {
        assert_eq!(check("--help"), Ok(Command::Help));
        assert_eq!(check("serve -h"), Ok(Command::Help));
        assert_eq!(check("--version"), Ok(Command::Version));
        let log = LogArgs { level: None, format: LogFormat::Default };
        assert_eq!(check("serve --log-level notset"), Ok(Command::Serve(log)));
        let Ok(Command::DaemonStop(endpoint)) = check("--daemon-stop --host=::1 --port 1") else {
            panic!("not a stop")
        };
        assert_eq!((endpoint.host.to_string().as_str(), endpoint.port), ("::1", 1));
        let Ok(Command::Daemon(daemon)) = check(
            "--daemon --allow-origin null --allow-origin=http://b:1 --idle-timeout 1.5 --detach",
        ) else {
            panic!("not a daemon")
        };
        assert_eq!(daemon.allow_origins, ["null", "http://b:1"]);
        assert_eq!(daemon.idle_timeout, Some(Duration::from_millis(1500)));
        assert!(daemon.detach);
    }

    #[test]
    fn a_daemon_that_is_told_nothing_has_the_documented_limits() {
        let Ok(Command::Daemon(daemon)) = check("--daemon") else { panic!("not a daemon") };
        let endpoint = Endpoint {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8765,
            pid_file: None,
            token_file: None,
        };
        let expected = DaemonArgs {
            endpoint,
            log: LogArgs { level: Some(Severity::Info), format: LogFormat::Default },
            detach: false,
            log_file: None,
            idle_timeout: None,
            max_message_size: 67_108_864,
            max_connections: 256,
            compile_timeout: Duration::from_secs(30),
            output_root: None,
            allow_origins: Vec::new(),
        };
        assert_eq!(daemon, expected);
    }

    #[test]
    fn files_are_given_in_both_forms() {
        let Ok(Command::Compile(args)) =
            check("--awst=Cargo.toml --options Cargo.toml --log-format json")
        else {
            panic!("not a compilation")
        };
        assert_eq!((args.awst, args.log.format), ("Cargo.toml".into(), LogFormat::Json));
    }

    #[test]
    fn mistakes_are_one_clear_line() {
        for (line, message) in [
            ("", "Parameter --awst requires an argument."),
            ("--awst", "Parameter --awst requires an argument."),
            ("--awst --options x", "Parameter --awst requires an argument."),
            ("--awst Cargo.toml", "Parameter --options requires an argument."),
            ("--foo=1", "Unknown option: --foo."),
            ("x", "Unused token: \"x\"."),
            ("--awst nowhere --options x", {
                "Invalid value \"nowhere\" for --awst. \"nowhere\" does not exist."
            }),
            ("--awst a --awst b", "Parameter --awst specified multiple times."),
            ("--daemon --awst a", "--daemon and --awst exclude each other."),
            ("--daemon --options a", "--options cannot be used with --daemon."),
            ("serve --port 1", "--port cannot be used with serve."),
            ("--awst Cargo.toml --options Cargo.toml --port 1", "--port needs --use-daemon."),
            ("--daemon --port 70000", {
                "Invalid value \"70000\" for --port. It must be a number from 0 to 65535."
            }),
            ("--daemon --host example.org", {
                "Invalid value \"example.org\" for --host. It must be an IP address or localhost."
            }),
            ("--daemon-stop --port 0", {
                "Invalid value \"0\" for --port. Only a daemon that starts can pick one."
            }),
            ("--daemon --allow-origin https://app.example/", {
                "Invalid value \"https://app.example/\" for --allow-origin. It must be like \
                 \"https://app.example\", without a path, or \"null\"."
            }),
            ("serve --log-level loud", {
                "Invalid value \"loud\" for --log-level. Choose from: \"notset\", \"debug\", \
                 \"info\", \"warning\", \"error\", \"critical\"."
            }),
        ] {
            assert_eq!(check(line), Err(message.to_owned()), "{line}");
        }
    }

    #[test]
    fn the_help_names_every_flag() {
        let text = help();
        for flag in FLAGS {
            assert!(text.contains(flag.name));
        }
    }
}
