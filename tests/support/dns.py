"""A name server on this machine, over UDP."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

ROOT = {(".", "SOA"): ["a.root.example. admin.root.example. 1 1800 900 604800 86400"]}


@dataclass
class NameServer:
    """`records` by name and type; `broken`: it answers SERVFAIL to all."""

    records: dict[tuple[str, str], list[str]]
    broken: bool = False
    port: int = 0

    def texts(self, texts: Mapping[str, str | list[str]]) -> None:
        """TXT records, each in strings of at most 255 octets."""
        for name, said in texts.items():
            whole = [said] if isinstance(said, str) else said
            self.records[name, "TXT"] = [
                " ".join(f'"{one[start : start + 255]}"' for start in range(0, len(one), 255)) for one in whole
            ]

    def resolver(self) -> dns.resolver.Resolver:
        made = dns.resolver.Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = self.port
        return made

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True) or ".", dns.rdatatype.to_text(question.rdtype)
        found = self.records.get((name, kind))
        if self.broken:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif found:
            reply.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
        elif not any(known == name for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply


@contextmanager
def name_server(records: Mapping[tuple[str, str], list[str]] = ROOT) -> Iterator[NameServer]:
    made = NameServer(dict(records))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            sock.sendto(made.answer(dns.message.from_wire(data)).to_wire(max_size=65000), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
