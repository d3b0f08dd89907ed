//! A real browser with a passkey of its own, led as a person leads it: by what is written on the page.

mod album;
mod process;

use std::{
    cell::RefCell,
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    ChromeCapabilities, ChromiumLikeCapabilities, Cookie, DesiredCapabilities, Key, LoggingPrefsLogLevel,
    RequestData, SessionId, WebDriver, WebElement,
    common::command::{Command, FormatRequestData},
    error::WebDriverResult,
};
use tokio::{runtime::Runtime, time::timeout};

pub use album::Album;
use process::{Chromedriver, program};

/// No test meets it by accident, on a machine that does ten other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// More controls than any page has.
const MANY: usize = 200;

const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    // Tests run as root in containers.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    // Chromium ends when the other end of the pipe does.
    "--remote-debugging-pipe",
    "--lang=en",
];

/// A window's width, and how much higher it is than the page in it.
const WIDTH: u32 = 1000;
const FRAME: u32 = 150;

const LOOK: &str = include_str!("look.js");
const FAULTS: &str = include_str!("faults.js");

/// Somebody's browser, with a profile and a passkey of its own. It ends when dropped.
pub struct Browser<'a> {
    who: String,
    album: &'a Album,
    runtime: Runtime,
    driver: WebDriver,
    /// Before the profile: nobody may write to that while it is removed.
    _process: Chromedriver,
    profile: TempDir,
    /// Downloads that were looked at.
    taken: RefCell<HashSet<PathBuf>>,
}

impl<'a> Browser<'a> {
    pub fn new(who: &str, album: &'a Album) -> Self {
        let profile = tempfile::Builder::new().prefix("zegel-browser-").tempdir().expect("a folder");
        fs::create_dir(profile.path().join("downloads")).expect("a folder");
        let process = Chromedriver::start(profile.path());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("threads");
        let start = WebDriver::builder(&process.url, capabilities(profile.path()).expect("JSON"));
        let driver = runtime.block_on(start.connect()).expect("the browser starts");
        let browser = Self {
            who: who.to_owned(),
            album,
            runtime,
            driver,
            _process: process,
            profile,
            taken: RefCell::default(),
        };
        browser.has_passkeys();
        browser
    }

    /// An authenticator in this machine; its person is always there, agrees, and proves to be who they are.
    fn has_passkeys(&self) {
        let authenticator = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserVerified": true, "isUserConsenting": true,
        });
        let command = Extension { path: "webauthn/authenticator", body: authenticator };
        self.runtime.block_on(self.driver.handle().cmd(command)).expect("an authenticator");
    }

    // What a person does.

    /// Types an address.
    pub fn goes_to(&self, url: &str) {
        self.until(&format!("the address {url}"), || self.runtime.block_on(self.driver.goto(url)).map(Some));
    }

    /// Clicks on a link or a button, or sets a mark, by its name.
    pub fn clicks(&self, name: &str) {
        self.until(&format!("a click on {name:?}"), || {
            let Some(control) = self.control(name)? else { return Ok(None) };
            self.runtime.block_on(control.click()).map(Some)
        });
    }

    /// Writes into a field.
    pub fn fills(&self, name: &str, text: &str) {
        self.until(&format!("a field {name:?}"), || {
            let Some(field) = self.control(name)? else { return Ok(None) };
            let written = async {
                field.clear().await?;
                field.send_keys(text).await
            };
            self.runtime.block_on(written).map(Some)
        });
    }

    /// Types where the focus is.
    pub fn types(&self, text: impl AsRef<str>) {
        let keys = self.driver.action_chain().send_keys(text.as_ref());
        self.runtime.block_on(keys.perform()).unwrap_or_else(|error| panic!("{}: {error}", self.who));
    }

    pub fn presses(&self, key: Key) {
        self.types(char::from(key).to_string());
    }

    /// Presses Tab until the control of this name has the focus; wherever that is meanwhile, it must be seen.
    pub fn tabs_to(&self, name: &str) {
        self.until(&format!("a control {name:?}"), || self.control(name));
        let look = "
            const control = document.activeElement;
            const { outlineStyle, outlineWidth } = getComputedStyle(control);
            return [name_of(control), outlineStyle !== 'none' && outlineWidth !== '0px', control.outerHTML];";
        for _ in 0..MANY {
            self.presses(Key::Tab);
            let focus = self.until("a focus", || self.script(look, &[]).map(Some));
            assert_eq!(focus[1], true, "{}: nobody sees that the focus is on {}", self.who, focus[2]);
            if focus[0] == name {
                return;
            }
        }
        panic!("{}: Tab never comes to {name:?}", self.who);
    }

    /// Brings a cookie from elsewhere.
    pub fn takes_cookie(&self, cookie: Cookie) {
        self.runtime.block_on(self.driver.add_cookie(cookie)).expect("a cookie for this page");
    }

    // What a person sees.

    /// A page with this heading, whole; it must be as pages ought to be, and its picture is kept.
    pub fn sees_page(&self, heading: &str) {
        self.arrives_at(heading);
        assert_eq!(self.complaints(), Vec::<String>::new(), "{}: {heading}", self.who);
    }

    /// A page that says no, with this status; otherwise a page like any other.
    pub fn sees_refusal(&self, heading: &str, status: u16) {
        self.arrives_at(heading);
        let mut complaints = self.complaints();
        // Of the page itself the browser says this.
        let expected = format!("the server responded with a status of {status} ");
        complaints.retain(|complaint| !complaint.contains(&expected));
        assert_eq!(complaints, Vec::<String>::new(), "{}: {heading}", self.who);
        let look = "return performance.getEntriesByType('navigation')[0].responseStatus;";
        assert_eq!(self.script(look, &[]).expect("the page stays"), status, "{}: {heading}", self.who);
    }

    fn arrives_at(&self, heading: &str) {
        let look = "return document.readyState === 'complete'
            && words_of(document.querySelector('h1')).trim().startsWith(arguments[0]);";
        self.until(&format!("a page {heading:?}"), || self.holds(look, heading));
        self.picture(heading);
        let faults = self.until("a look at the page", || self.script(FAULTS, &[]).map(Some));
        assert_eq!(faults, json!([]), "{}: {heading}", self.who);
    }

    /// This text, somewhere on the page.
    pub fn sees(&self, text: &str) {
        let look = "return tidy(document.body.innerText).includes(arguments[0]);";
        self.until(&format!("the text {text:?}"), || self.holds(look, text));
    }
    /// Whether the page that is shown has a control of this name.
    pub fn is_offered(&self, name: &str) -> bool {
        self.until("a look at the page", || self.control(name).map(|control| Some(control.is_some())))
    }
    /// The texts of all elements that a CSS selector finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let look =
            "return [...document.querySelectorAll(arguments[0])].map(element => tidy(element.textContent));";
        let texts = self.until("a look at the page", || self.script(look, &[json!(selector)]).map(Some));
        serde_json::from_value(texts).expect("texts")
    }
    /// The whole text of the page, on one line.
    pub fn text(&self) -> String {
        self.texts("body").concat()
    }
    /// Waits until this control is there.
    pub fn waits_for(&self, name: &str) {
        self.until(&format!("a control {name:?}"), || self.control(name));
    }

    /// What the browser complained about since it was last asked: errors of scripts, breaches of the content policy.
    fn complaints(&self) -> Vec<String> {
        let log = self.runtime.block_on(self.driver.handle().browser_log()).expect("a log");
        let grave = log.into_iter().filter(|entry| entry.level == "SEVERE" || entry.level == "WARNING");
        grave.map(|entry| format!("{}: {}", entry.level, entry.message)).collect()
    }

    /// The file that the browser saved since it was last asked.
    pub fn download(&self) -> Vec<u8> {
        let folder = self.profile.path().join("downloads");
        self.until("a download", || {
            let files = fs::read_dir(&folder).expect("a folder").flatten().map(|file| file.path());
            // While it is under way there are others beside it, and it is empty.
            let under_way = |file: &PathBuf| {
                file.extension().is_some_and(|end| end == "crdownload")
                    || file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
            };
            let files: Vec<PathBuf> = files.collect();
            if files.iter().any(under_way) {
                return Ok(None);
            }
            let mut taken = self.taken.borrow_mut();
            let Some(file) = files.into_iter().find(|file| !taken.contains(file)) else { return Ok(None) };
            let bytes = fs::read(&file).expect("readable");
            if bytes.is_empty() {
                return Ok(None);
            }
            // It stays: the browser's own records of it need not be written yet.
            taken.insert(file);
            Ok(Some(bytes))
        })
    }

    // How it is done.

    /// Tries until it works. Whatever goes wrong on a page that is being left is no answer yet.
    fn until<T>(&self, what: &str, mut attempt: impl FnMut() -> WebDriverResult<Option<T>>) -> T {
        let start = Instant::now();
        loop {
            match attempt() {
                Ok(Some(done)) => return done,
                _ if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(50)),
                outcome => {
                    self.picture("failed");
                    let error = outcome.err().map(|error| error.to_string()).unwrap_or_default();
                    let url = self.runtime.block_on(self.driver.current_url()).map(String::from);
                    let page = self.script("return document.body.innerText;", &[]).unwrap_or_default();
                    panic!("{}: {what} never came. {error}\nat {url:?}:\n{page}", self.who);
                }
            }
        }
    }

    /// What a script on the page returns.
    fn script(&self, script: &str, arguments: &[Value]) -> WebDriverResult<Value> {
        let script = self.driver.execute(format!("{LOOK}{script}"), arguments.to_vec());
        Ok(self.runtime.block_on(script)?.json().clone())
    }
    fn holds(&self, script: &str, argument: &str) -> WebDriverResult<Option<()>> {
        Ok((self.script(script, &[json!(argument)])? == true).then_some(()))
    }

    /// The one control of this name that can be seen.
    fn control(&self, name: &str) -> WebDriverResult<Option<WebElement>> {
        let found = self.driver.execute(format!("{LOOK}return named(arguments[0]);"), vec![json!(name)]);
        let found = self.runtime.block_on(async { found.await?.elements() })?;
        assert!(found.len() < 2, "{}: {} controls are named {name:?}", self.who, found.len());
        Ok(found.into_iter().next())
    }

    /// Keeps a picture of the whole page.
    fn picture(&self, name: &str) {
        let height = self.script("return document.body.offsetHeight;", &[]).ok();
        let height = height.and_then(|height| height.as_u64()).unwrap_or_default().clamp(400, 8000) as u32;
        let take = async {
            self.driver.set_window_rect(0, 0, WIDTH, height + FRAME).await?;
            self.driver.screenshot_as_png().await
        };
        if let Ok(picture) = self.runtime.block_on(take) {
            self.album.keep(&format!("{} {name}", self.who), &picture);
        }
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        // Politely; whatever comes of it, the processes are killed next.
        let end = self.driver.handle().cmd(Command::DeleteSession);
        let _ = self.runtime.block_on(async { timeout(Duration::from_secs(10), end).await });
        let _ = self.driver.clone().leak();
    }
}

fn capabilities(profile: &Path) -> WebDriverResult<ChromeCapabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(&program("chromium").to_string_lossy())?;
    for argument in ARGUMENTS {
        capabilities.add_arg(argument)?;
    }
    capabilities.add_arg(&format!("--user-data-dir={}", profile.join("profile").display()))?;
    let downloads = json!({ "download.default_directory": profile.join("downloads") });
    capabilities.add_experimental_option("prefs", downloads)?;
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    Ok(capabilities)
}

/// A command that an extension of WebDriver defines.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl FormatRequestData for Extension {
    fn format_request(&self, session: &SessionId) -> RequestData {
        let uri = format!("session/{session}/{}", self.path).into();
        // By POST, as that other command.
        RequestData { uri, body: Some(self.body.clone()), ..Command::Refresh.format_request(session) }
    }
}
