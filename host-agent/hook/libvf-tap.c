/* OCI createRuntime hook: a tap in the Pod's own network namespace, and the Pod's address for the guest behind it.
 *
 *   libvf-tap NAME GATEWAY GUEST PREFIX OWNER KEPT     such as  libvf-tap vm0 192.0.0.1 192.0.0.2 29 107 61107
 *
 * The tap belongs to the uid OWNER, so that its QEMU attaches to it without any capability; it has the address GATEWAY,
 * and the MTU of the link that the default route leaves by. The guest has GUEST. nftables, in a table of our own that
 * is made anew each time: what the guest sends out has the Pod's address (masquerade), what comes in for the Pod goes to
 * the guest, and so do TCP connections to the Pod's loopback, as `kubectl port-forward` makes them there; the TCP port
 * KEPT alone stays the Pod's. A guest that uses another source address than its own, or sends to a loopback address, is
 * not heard.
 *
 * Again for the same Pod, as when its container restarts, changes nothing. Static, and speaks netlink itself, as hosts
 * may lack nft and its libraries. Facts: linux/netfilter/nf_tables.h; packet(7) of a tap: networking/tuntap.rst.
 * Exit 0, or 1 with what, where and the cure on stderr.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "oci.h"

#include "nft.h"

#define PROGRAM "libvf-tap"
struct link {
	char name[IFNAMSIZ];
	struct in_addr gateway, guest;
	uint32_t prefix, owner;
	uint16_t kept; /* in network order */
};

static void guard(const struct link *link)
{
	const uint8_t loopback = 127, nobody[4] = {0}; /* 0.0.0.0: who asks for an address */
	size_t list, start;
	chain("guard", "filter", NF_INET_PRE_ROUTING, -300); /* before conntrack turns answers round */
	start = rule("guard", &list);
	interface(NFT_META_IIFNAME, NFT_CMP_EQ, link->name);
	address(DESTINATION, NFT_CMP_EQ, &loopback, sizeof loopback);
	verdict(NF_DROP);
	end_rule(start, list);
	start = rule("guard", &list);
	interface(NFT_META_IIFNAME, NFT_CMP_EQ, link->name);
	address(SOURCE, NFT_CMP_NEQ, &link->guest, sizeof link->guest);
	address(SOURCE, NFT_CMP_NEQ, nobody, sizeof nobody);
	verdict(NF_DROP);
	end_rule(start, list);
}

static void inwards(const struct link *link)
{
	size_t list, start;
	chain("in", "nat", NF_INET_PRE_ROUTING, -100);
	start = rule("in", &list);
	tcp_field(PORT, &link->kept, sizeof link->kept);
	verdict(NF_ACCEPT);
	end_rule(start, list);
	start = rule("in", &list);
	interface(NFT_META_IIFNAME, NFT_CMP_NEQ, link->name);
	to_this_host();
	translate(&link->guest);
	end_rule(start, list);
	chain("loopback", "nat", NF_INET_LOCAL_OUT, -100);
	start = rule("loopback", &list);
	interface(NFT_META_OIFNAME, NFT_CMP_EQ, "lo");
	tcp();
	translate(&link->guest);
	end_rule(start, list);
}

static void outwards(const struct link *link)
{
	const uint8_t loopback = 127;
	size_t list, start;
	chain("out", "nat", NF_INET_POST_ROUTING, 100);
	start = rule("out", &list);
	interface(NFT_META_OIFNAME, NFT_CMP_NEQ, link->name);
	address(SOURCE, NFT_CMP_EQ, &link->guest, sizeof link->guest);
	masquerade();
	end_rule(start, list);
	start = rule("out", &list);
	interface(NFT_META_OIFNAME, NFT_CMP_EQ, link->name);
	address(SOURCE, NFT_CMP_EQ, &loopback, sizeof loopback);
	masquerade();
	end_rule(start, list);
}

static int rules(const struct link *link)
{
	begin();
	/* one that is not there can not be deleted: so it is made, deleted and made */
	table(NFT_MSG_NEWTABLE, NLM_F_CREATE);
	table(NFT_MSG_DELTABLE, 0);
	table(NFT_MSG_NEWTABLE, NLM_F_CREATE);
	guard(link);
	inwards(link);
	outwards(link);
	return commit();
}

/* the link */

/* A tap that stays when its maker ends; one that is there already is taken as it is. */
static int tap(const struct link *link)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	memcpy(request.ifr_name, link->name, IFNAMSIZ);
	int handle = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (handle < 0)
		return -1;
	int failed = ioctl(handle, TUNSETIFF, &request) || ioctl(handle, TUNSETOWNER, (unsigned long)link->owner) ||
		     ioctl(handle, TUNSETPERSIST, 1UL);
	int kept = errno;
	close(handle);
	errno = kept;
	return failed ? -1 : 0;
}

/* The MTU of the link that the default route leaves by; 1500 where there is none. */
static int mtu_outside(int handle)
{
	struct ifreq request = {0};
	char line[256], name[IFNAMSIZ];
	unsigned long destination, mask;
	FILE *routes = fopen("/proc/self/net/route", "re");
	while (routes && fgets(line, sizeof line, routes)) {
		if (sscanf(line, "%15s %lx %*x %*x %*d %*d %*d %lx", name, &destination, &mask) != 3 || destination || mask)
			continue;
		memcpy(request.ifr_name, name, IFNAMSIZ);
	}
	if (routes)
		fclose(routes);
	return *request.ifr_name && !ioctl(handle, SIOCGIFMTU, &request) ? request.ifr_mtu : 1500;
}

static void set_address(struct ifreq *request, uint32_t value)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = value};
	memcpy(&request->ifr_addr, &address, sizeof address);
}

static int configure(const struct link *link)
{
	struct ifreq request = {0};
	int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (handle < 0)
		return -1;
	memcpy(request.ifr_name, link->name, IFNAMSIZ);
	request.ifr_mtu = mtu_outside(handle);
	int failed = ioctl(handle, SIOCSIFMTU, &request);
	set_address(&request, link->gateway.s_addr);
	failed = failed || ioctl(handle, SIOCSIFADDR, &request);
	set_address(&request, htonl(~0U << (32 - link->prefix)));
	failed = failed || ioctl(handle, SIOCSIFNETMASK, &request);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	failed = failed || ioctl(handle, SIOCSIFFLAGS, &request);
	int kept = errno;
	close(handle);
	errno = kept;
	return failed ? -1 : 0;
}

/* A setting of the network namespace that this process is in. */
static int set(const char *link, const char *name, const char *value)
{
	char path[256];
	const char *format = *link ? "/proc/sys/net/ipv4/%s%s/%s" : "/proc/sys/net/ipv4/%s%s%s";
	snprintf(path, sizeof path, format, *link ? "conf/" : "", link, name);
	int handle = open(path, O_WRONLY | O_CLOEXEC);
	if (handle < 0)
		return -1;
	int failed = write(handle, value, strlen(value)) < 0;
	close(handle);
	return failed ? -1 : 0;
}

/* Into the container's network; -1 where that is the host's own, which is not ours to change. */
static int enter(long pid)
{
	char path[64];
	struct stat ours, theirs;
	snprintf(path, sizeof path, "/proc/%ld/ns/net", pid);
	int handle = open(path, O_RDONLY | O_CLOEXEC);
	if (handle < 0 || fstat(handle, &theirs) || stat("/proc/self/ns/net", &ours))
		return -1;
	if (ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev) {
		errno = EPERM;
		return -1;
	}
	return setns(handle, CLONE_NEWNET);
}

static int parsed(char **words, struct link *link)
{
	link->prefix = strtoul(words[3], NULL, 10);
	link->owner = strtoul(words[4], NULL, 10);
	link->kept = htons(strtoul(words[5], NULL, 10));
	snprintf(link->name, sizeof link->name, "%s", words[0]);
	return inet_pton(AF_INET, words[1], &link->gateway) == 1 && inet_pton(AF_INET, words[2], &link->guest) == 1 &&
	       link->prefix >= 1 && link->prefix <= 31 && strlen(words[0]) < IFNAMSIZ && *words[0] && link->kept;
}

int main(int count, char **words)
{
	struct link link = {0};
	errno = EINVAL;
	if (count != 7 || !parsed(words + 1, &link))
		return fail(PROGRAM, "not understood:", "the arguments", "NAME GATEWAY GUEST PREFIX OWNER KEPT");
	long pid = container_pid();
	if (pid <= 0)
		return no_pid(PROGRAM);
	if (enter(pid))
		return fail(PROGRAM, "no tap in", "the container's network", "run its Pod without hostNetwork");
	if (tap(&link))
		return fail(PROGRAM, "can not make", "a tap with /dev/net/tun", "load the module tun on this node");
	if (configure(&link) || set("", "ip_forward", "1") || set(link.name, "route_localnet", "1"))
		return fail(PROGRAM, "can not set up", link.name, "see the kernel log of this node");
	if (rules(&link))
		return fail(PROGRAM, "can not set up nftables for", link.name,
			    "the kernel of this node needs nf_tables with nat, masq and fib");
	return 0;
}
