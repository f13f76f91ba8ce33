use serde_json::{Value, json};
use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use ureq::http::{Method, Request};

/// A running `fondaco serve`.
pub(crate) struct House {
    server: Mutex<Child>,
    pub(crate) base: String,
    listen: String,
    data: std::path::PathBuf,
    agent: ureq::Agent,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// What was answered, where it went well.
    pub(crate) fn ok(self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, String::from_utf8_lossy(&self.bytes));
        self.json()
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fondaco"));
    command.env_remove("DATABASE_URL");
    command
}

/// Runs another command of the program on the same folder.
pub(crate) fn fondaco(data: &Path, words: &[&str]) -> (ExitStatus, String) {
    let out = program().args(words).env("FONDACO_DATA", data).output().unwrap();
    (out.status, String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
}

impl House {
    pub(crate) fn open(data: &Path, words: &[&str]) -> House {
        let listen = &TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let server = Mutex::new(start(data, listen, words));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .new_agent();
        let house = House {
            server,
            base: format!("http://{listen}"),
            listen: listen.into(),
            data: data.into(),
            agent,
        };
        house.wait();
        house
    }

    fn wait(&self) {
        let late = Instant::now() + Duration::from_secs(90);
        while !self.agent.get(format!("{}/readyz", self.base)).call().is_ok_and(|a| a.status() == 200) {
            assert!(self.server.lock().unwrap().try_wait().unwrap().is_none(), "the server ended");
            assert!(Instant::now() < late, "the server did not open");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// An answer, or nothing where the connection broke.
    pub(crate) fn try_call(
        &self,
        who: Option<&str>,
        method: &str,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("{}/api/v1{path}", self.base));
        if let Some(token) = who {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = self.agent.run(request.body(body).unwrap()).ok()?;
        let status = answer.status().as_u16();
        let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec().ok()?;
        Some(Answer { status, bytes })
    }

    pub(crate) fn call(&self, who: &str, method: &str, path: &str, body: Value) -> Answer {
        let headers: &[_] = if body.is_null() { &[] } else { &[("content-type", "application/json")] };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let who = Some(who).filter(|w| !w.is_empty());
        self.try_call(who, method, path, body, headers).unwrap()
    }

    pub(crate) fn get(&self, who: &str, path: &str) -> Value {
        self.call(who, "GET", path, Value::Null).ok()
    }

    pub(crate) fn post(&self, who: &str, path: &str, body: Value) -> Value {
        self.call(who, "POST", path, body).ok()
    }

    /// Registers somebody, reads the letter, makes a company: the token.
    pub(crate) fn newcomer(&self, company: Value) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let email = format!("ann{}@example.test", COUNT.fetch_add(1, Ordering::Relaxed));
        let person = json!({ "email": email, "password": "correct-horse-9x", "first_name": "Ann", "last_name": "Lee" });
        self.post("", "/auth/register", person);
        let code = self.code(&email);
        let token = self.post("", "/auth/verify", json!({ "email": email, "code": code }))["token"].clone();
        let token = token.as_str().unwrap();
        let made = self.post(token, "/organizations", company);
        made["token"].as_str().unwrap_or(token).to_owned()
    }

    /// The code in the newest letter to somebody: it stands alone on its line.
    fn code(&self, email: &str) -> String {
        for _ in 0..100 {
            let letters = std::fs::read_dir(self.data.join("outbox")).into_iter().flatten().flatten();
            let texts = letters.filter_map(|l| std::fs::read_to_string(l.path()).ok());
            for text in texts.filter(|t| t.contains(email)) {
                let alone = |l: &&str| {
                    l.len() == 8 && l.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                };
                if let Some(code) = text.lines().map(str::trim).find(alone) {
                    return code.to_owned();
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no letter to {email}");
    }

    /// The way an administrator ends it.
    pub(crate) fn stop(self) -> ExitStatus {
        let mut server = self.server.lock().unwrap();
        kill("-TERM", &server.id().to_string());
        server.wait().unwrap()
    }

    pub(crate) fn kill_database(&self) {
        let pid = std::fs::read_to_string(self.data.join("pg/postmaster.pid")).unwrap();
        kill("-KILL", pid.lines().next().unwrap());
    }

    /// Dead at once, with whatever was on its way, and started again at the same address.
    pub(crate) fn kill_and_open(&self) {
        let mut server = self.server.lock().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        *server = start(&self.data, &self.listen, &[]);
        drop(server);
        self.wait();
    }
}

fn start(data: &Path, listen: &str, words: &[&str]) -> Child {
    program()
        .arg("serve")
        .args(words)
        .env("FONDACO_DATA", data)
        .env("FONDACO_LISTEN", listen)
        .env("FONDACO_LOG", "error")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for House {
    fn drop(&mut self) {
        let mut server = self.server.lock().unwrap_or_else(|e| e.into_inner());
        if server.try_wait().is_ok_and(|ended| ended.is_none()) {
            kill("-TERM", &server.id().to_string());
            let _ = server.wait();
        }
    }
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}
