/** Every builder whose toolchain is on this machine builds a tiny app of its language, and the app answers through the router. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, type Platform } from './platform.ts'

const probeTimeoutMs = 5000

let platform: Platform
let sources: string
beforeAll(async () => {
  sources = await mkdtemp(join(tmpdir(), 'pavior-languages-'))
  platform = await newPlatform()
})
afterAll(async () => {
  await rm(sources, { recursive: true, force: true })
})

/** Whether the program runs here. */
function isThere(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args.length > 0 ? args : ['--version'], { stdio: 'ignore', timeout: probeTimeoutMs })
    return true
  } catch {
    return false
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(probeTimeoutMs) }).then(
    () => true,
    () => false,
  )
}

async function write(name: string, files: Record<string, string>): Promise<string> {
  const directory = join(sources, name)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  return directory
}

async function deploy(app: string, files: Record<string, string>): Promise<{ artifact: string; body: string; status: number }> {
  const directory = await write(app, files)
  const { artifact } = await platform.json<{ artifact: string }>(['deploy', '--app', app], { directory })
  return { artifact, ...(await platform.get(`${app}.localhost`)) }
}

const mavenCentral = 'https://repo.maven.apache.org/maven2/'
const node = (answer: string): string => `require('node:http').createServer((_, response) => response.end(${answer})).listen(process.env.PORT)`

const python = {
  'requirements.txt': '# nothing but what Python brings\n',
  'main.py': `import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(('python ' + ('in its environment' if sys.prefix != sys.base_prefix else 'of the system')).encode())

HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`,
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tiny</groupId><artifactId>tiny</artifactId><version>1.0</version>
  <properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
  <build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-jar-plugin</artifactId>
    <configuration><archive><manifest><mainClass>tiny.Main</mainClass></manifest></archive></configuration></plugin></plugins></build>
</project>
`
const java = `package tiny;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Main {
  public static void main(String[] arguments) throws Exception {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
    server.createContext("/", exchange -> {
      exchange.sendResponseHeaders(200, 4);
      exchange.getResponseBody().write("java".getBytes());
      exchange.close();
    });
    server.start();
  }
}
`
const go = `package main

import (
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		text, _ := os.ReadFile("templates/hello.txt")
		w.Write(text)
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}
`
const rust = `use std::io::{Read, Write};

fn main() {
    let listener = std::net::TcpListener::bind(format!("127.0.0.1:{}", std::env::var("PORT").unwrap())).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\\r\\ncontent-length: 4\\r\\nconnection: close\\r\\n\\r\\nrust");
    }
}
`
const ruby = `require 'socket'
server = TCPServer.new('127.0.0.1', ENV.fetch('PORT'))
loop do
  client = server.accept
  while (line = client.gets) && line != "\\r\\n"; end
  client.write("HTTP/1.1 200 OK\\r\\ncontent-length: 4\\r\\nconnection: close\\r\\n\\r\\nruby")
  client.close
end
`

interface Case {
  title: string
  files: Record<string, string>
  expected: string
  /** Why it cannot run here; undefined when it can. */
  lacks?: () => Promise<string | undefined> | string | undefined
}

const cases: Case[] = [
  { title: 'node', files: { 'server.js': node('"node"') }, expected: 'node' },
  { title: 'a start script with development tools left out', files: { 'package.json': '{"scripts":{"build":"echo built > built.txt","start":"node a.js"}}', 'a.js': node('require("node:fs").readFileSync("built.txt")') }, expected: 'built\n' },
  { title: 'a site that is built', files: { 'package.json': '{"scripts":{"build":"mkdir -p dist && echo site > dist/index.html"},"devDependencies":{}}', 'pavior.yaml': 'build:\n  output: dist\n' }, expected: 'site\n' },
  { title: 'python', files: python, expected: 'python in its environment', lacks: () => (isThere('python3', '-c', 'import venv, ensurepip') ? undefined : 'there is no python3 with venv') },
  { title: 'go', files: { 'go.mod': 'module tiny\n\ngo 1.19\n', 'cmd/web/main.go': go, 'templates/hello.txt': 'go' }, expected: 'go', lacks: () => (isThere('go', 'version') ? undefined : 'there is no go') },
  { title: 'rust', files: { 'Cargo.toml': '[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2021"\n', 'src/main.rs': rust }, expected: 'rust', lacks: () => (isThere('cargo') ? undefined : 'there is no cargo') },
  {
    title: 'java',
    files: { 'pom.xml': pom, 'src/main/java/tiny/Main.java': java },
    expected: 'java',
    lacks: async () => (!isThere('mvn') || !isThere('javac') ? 'there is no Maven with a JDK' : (await answers(mavenCentral)) ? undefined : 'Maven Central cannot be reached'),
  },
  { title: 'ruby', files: { Gemfile: "source 'https://rubygems.org'\n", 'app.rb': ruby }, expected: 'ruby', lacks: () => (isThere('ruby') && isThere('bundle') ? undefined : 'there is no ruby with bundler') },
  { title: 'php', files: { 'public/index.php': '<?php echo "php";' }, expected: 'php', lacks: () => (isThere('php') ? undefined : 'there is no php') },
  { title: 'a Procfile alone', files: { Procfile: 'web: node serve.js', 'serve.js': node('"procfile"') }, expected: 'procfile' },
]

describe('builders', () => {
  for (const { title, files, expected, lacks } of cases) {
    test(title, async (context) => {
      const reason = await lacks?.()
      if (reason !== undefined) {
        console.log(`skipped: ${title}, since ${reason}`)
        context.skip(reason)
      }
      const app = title.toLowerCase().replaceAll(' ', '-').slice(0, 24).replace(/-$/, '')
      expect(await deploy(app, files)).toMatchObject({ status: 200, body: expected })
    })
  }

  test('the same source gives the same artifact, with another cache and at another time', async (context) => {
    if (!isThere('python3', '-c', 'import venv, ensurepip')) context.skip('there is no python3 with venv')
    const [one, other] = [await deploy('same-one', python), await deploy('same-other', python)]
    expect(other.artifact).toBe(one.artifact)
  })
})
