# libvf's images: operator, agent, gateway, launcher. What changes most is copied last, so that a change of code
# rebuilds one small layer. Our code is compiled whole, and each program imported once, which leaves just the bytecode
# that it needs of its packages: a launcher without it takes four times as long to import.
ARG BASE=docker.io/library/debian:trixie-slim

FROM ${BASE} AS python
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONPATH=/opt/libvf/lib:/opt/libvf/code
RUN apt-get update && apt-get install -y --no-install-recommends python3-minimal libpython3-stdlib \
 && rm -rf /var/lib/apt/lists/*

FROM python AS builder
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip gcc libc6-dev

FROM builder AS operator-packages
COPY requirements/operator.txt /
RUN pip install --require-hashes --no-compile --target /packages -r /operator.txt

FROM builder AS agent-packages
COPY requirements/agent.txt /
RUN pip install --require-hashes --no-compile --target /packages -r /agent.txt

FROM builder AS gateway-packages
COPY requirements/gateway.txt /
RUN pip install --require-hashes --no-compile --target /packages -r /gateway.txt

# the modules alone, as the page is our own: noVNC's package would bring a web server and its libraries
FROM builder AS novnc
RUN cd /tmp && apt-get download novnc && dpkg-deb --extract novnc_*.deb /novnc

FROM builder AS launcher-packages
COPY requirements/launcher.txt /
RUN pip install --require-hashes --no-compile --target /packages -r /launcher.txt

FROM builder AS hook
COPY host-agent/hook /hook
RUN for name in libvf-hook libvf-tap; do \
      gcc -static -Os -Wall -Wextra -Werror -o /$name /hook/$name.c && strip /$name || exit 1; done

FROM python AS operator
COPY --from=operator-packages /packages /opt/libvf/lib
COPY api/libvf_api /opt/libvf/code/libvf_api
COPY operator/libvf_operator /opt/libvf/code/libvf_operator
RUN python3 -m compileall -q /opt/libvf/code && env -u PYTHONDONTWRITEBYTECODE python3 -c 'import libvf_operator.__main__'
USER 65532:65532
ENTRYPOINT ["python3", "-m", "libvf_operator"]

FROM python AS agent
RUN apt-get update && apt-get install -y --no-install-recommends libudev1 && rm -rf /var/lib/apt/lists/*
COPY --from=agent-packages /packages /opt/libvf/lib
COPY --from=hook /libvf-hook /libvf-tap /usr/lib/libvf/
COPY api/libvf_api /opt/libvf/code/libvf_api
COPY host-agent/libvf_agent /opt/libvf/code/libvf_agent
RUN python3 -m compileall -q /opt/libvf/code && env -u PYTHONDONTWRITEBYTECODE python3 -c 'import libvf_agent.agent'
ENTRYPOINT ["python3", "-m", "libvf_agent"]

FROM python AS gateway
COPY --from=novnc /novnc/usr/share/novnc/core /usr/share/novnc/core
COPY --from=novnc /novnc/usr/share/novnc/vendor /usr/share/novnc/vendor
COPY --from=novnc /novnc/usr/share/doc/novnc/copyright /usr/share/novnc/copyright
COPY --from=gateway-packages /packages /opt/libvf/lib
COPY api/libvf_api /opt/libvf/code/libvf_api
COPY gateway/libvf_gateway /opt/libvf/code/libvf_gateway
RUN python3 -m compileall -q /opt/libvf/code && env -u PYTHONDONTWRITEBYTECODE python3 -c 'import libvf_gateway.__main__'
USER 65532:65532
ENTRYPOINT ["python3", "-m", "libvf_gateway"]

# SPICE's modules come with Mesa's drivers, 190 MB that only a QEMU that draws by OpenGL loads
FROM python AS launcher
RUN apt-get update && apt-get install -y --no-install-recommends \
      qemu-system-x86 qemu-system-modules-spice qemu-utils seabios ipxe-qemu ovmf swtpm swtpm-tools virtiofsd xorriso dnsmasq-base \
 && rm -rf /var/lib/apt/lists/* /usr/lib/*/libLLVM* /usr/lib/*/libgallium* /usr/lib/*/libz3.so* \
 && printf '#!/bin/sh\nexec python3 -OO -m libvf_launcher "$@"\n' > /usr/local/bin/libvf-launcher \
 && chmod 755 /usr/local/bin/libvf-launcher \
 && groupadd --gid 107 qemu && useradd --uid 107 --gid 107 --no-create-home --home-dir / qemu
COPY --from=launcher-packages /packages /opt/libvf/lib
COPY api/libvf_api /opt/libvf/code/libvf_api
COPY launcher/libvf_launcher /opt/libvf/code/libvf_launcher
# it is in memory once for each VM, so without docstrings, which are a twentieth of it
RUN python3 -OO -m compileall -q /opt/libvf/code && env -u PYTHONDONTWRITEBYTECODE python3 -OO -c 'import pkgutil, libvf_launcher as all; [__import__(f"libvf_launcher.{one.name}") for one in pkgutil.iter_modules(all.__path__)]'
USER 107:107
ENTRYPOINT ["libvf-launcher"]
