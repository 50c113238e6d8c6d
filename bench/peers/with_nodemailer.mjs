// nodemailer, pooled: the best peer. Its folder is the second argument.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const work = JSON.parse(readFileSync(process.argv[2], "utf8"));
const nodemailer = createRequire(process.argv[3] + "/")("nodemailer");
const pool = nodemailer.createTransport({
  host: "127.0.0.1",
  port: work.port,
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: work.connections,
  maxMessages: Infinity,
});

function mail(number) {
  const digits = String(number).padStart(7, "0");
  let { text, html } = work;
  for (const [place, value] of Object.entries(work.places)) {
    text = text.replaceAll(place, value + digits);
    html = html.replaceAll(place, value + digits);
  }
  return {
    from: work.sender,
    to: `reader${digits}@example.org`,
    subject: work.subject,
    text,
    html,
    headers: { "List-Unsubscribe": `<https://roundup.example.org/u/${digits}>` },
  };
}

const time = process.hrtime.bigint();
const cpu = process.cpuUsage();
let next = 0;
async function sendSome() {
  while (next < work.count) await pool.sendMail(mail(next++));
}
// Twice as many waiting as connections: the pool never runs dry, and never holds every mail in memory.
await Promise.all(Array.from({ length: 2 * work.connections }, sendSome));
const used = process.cpuUsage(cpu);
console.log(
  JSON.stringify({ seconds: Number(process.hrtime.bigint() - time) / 1e9, cpu: (used.user + used.system) / 1e6 }),
);
pool.close();
