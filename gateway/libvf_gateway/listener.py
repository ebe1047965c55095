"""The TLS socket: it shows our certificate, and checks the API server's where one is shown."""

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from libvf_gateway.certificates import Serving
from libvf_gateway.frontproxy import FrontProxy


@dataclass(frozen=True, slots=True)
class Trust:
    """Who we are, and whom we believe."""

    serving: Serving
    front_proxy: FrontProxy

    def context(self) -> ssl.SSLContext:
        """A client certificate is optional, as a kubelet's probe has none; a bad one ends the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.front_proxy.authority)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # ssl reads a key from a file only; mode 0600
            file.write(self.serving.key + self.serving.certificate)
            file.flush()
            context.load_cert_chain(Path(file.name))
        return context


class Listener:
    """Listens anew where what it shows or trusts has changed; connections that are there stay."""

    def __init__(self, runner: web.AppRunner, address: str, port: int) -> None:
        self._runner = runner
        self._address = address
        self._port = port
        self._site: web.TCPSite | None = None
        self._trust: Trust | None = None

    async def listen(self, trust: Trust) -> None:
        """Be up with this trust."""
        if trust == self._trust:
            return
        if self._site:
            await self._site.stop()
        self._site = web.TCPSite(self._runner, self._address, self._port, ssl_context=trust.context())
        await self._site.start()
        self._trust = trust
