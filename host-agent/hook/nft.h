/* A batch of nftables messages, built in one buffer: tables, chains, rules and the expressions that rules are made of.
 *
 * Netlink as the kernel defines it in linux/netlink.h and linux/netfilter/nf_tables.h, as hosts may lack nft.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE "libvf"
#define LOCAL 2 /* RTN_LOCAL */
#define SOURCE 12 /* offsets in an IPv4 header */
#define DESTINATION 16
#define PORT 2 /* of the destination, in a TCP header */

/* netlink: one batch in one buffer */

static char batch[16384] __attribute__((aligned(8)));
static size_t used;

static void put(uint16_t type, const void *data, size_t size)
{
	struct nlattr head = {NLA_HDRLEN + size, type};
	memcpy(batch + used, &head, sizeof head);
	if (size)
		memcpy(batch + used + NLA_HDRLEN, data, size);
	used += NLA_HDRLEN + NLA_ALIGN(size);
}

static void put_text(uint16_t type, const char *text) { put(type, text, strlen(text) + 1); }

static void put_number(uint16_t type, uint32_t value)
{
	value = htonl(value);
	put(type, &value, sizeof value);
}

static size_t open_nest(uint16_t type)
{
	put(type | NLA_F_NESTED, NULL, 0);
	return used - NLA_HDRLEN;
}

static void close_nest(size_t start) { ((struct nlattr *)(batch + start))->nla_len = used - start; }

static size_t message(uint16_t type, uint16_t flags, uint8_t family, uint16_t id)
{
	struct nlmsghdr *head = (struct nlmsghdr *)(batch + used);
	struct nfgenmsg *body = (struct nfgenmsg *)(head + 1);
	*head = (struct nlmsghdr){0, type, NLM_F_REQUEST | flags, 1, 0};
	*body = (struct nfgenmsg){family, NFNETLINK_V0, htons(id)};
	used += NLMSG_HDRLEN + sizeof *body;
	return used - NLMSG_HDRLEN - sizeof *body;
}

static void end_message(size_t start) { ((struct nlmsghdr *)(batch + start))->nlmsg_len = used - start; }

static size_t request(uint16_t type, uint16_t flags)
{
	return message(NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_ACK | flags, NFPROTO_IPV4, 0);
}

/* expressions of a rule; each begins and ends one */

static size_t rule(const char *chain, size_t *list)
{
	size_t start = request(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	put_text(NFTA_RULE_TABLE, TABLE);
	put_text(NFTA_RULE_CHAIN, chain);
	*list = open_nest(NFTA_RULE_EXPRESSIONS);
	return start;
}

static size_t open_expression(const char *name, size_t *data)
{
	size_t start = open_nest(NFTA_LIST_ELEM);
	put_text(NFTA_EXPR_NAME, name);
	*data = open_nest(NFTA_EXPR_DATA);
	return start;
}

static void close_expression(size_t start, size_t data)
{
	close_nest(data);
	close_nest(start);
}

static void compare(uint32_t operator, const void *value, size_t size)
{
	size_t data, start = open_expression("cmp", &data);
	put_number(NFTA_CMP_SREG, NFT_REG_1);
	put_number(NFTA_CMP_OP, operator);
	size_t nest = open_nest(NFTA_CMP_DATA);
	put(NFTA_DATA_VALUE, value, size);
	close_nest(nest);
	close_expression(start, data);
}

static void meta(uint32_t key)
{
	size_t data, start = open_expression("meta", &data);
	put_number(NFTA_META_DREG, NFT_REG_1);
	put_number(NFTA_META_KEY, key);
	close_expression(start, data);
}

static void interface(uint32_t key, uint32_t operator, const char *name)
{
	char padded[IFNAMSIZ] = "";
	memcpy(padded, name, strnlen(name, IFNAMSIZ - 1));
	meta(key);
	compare(operator, padded, sizeof padded);
}

static void address(uint32_t offset, uint32_t operator, const void *value, size_t size)
{
	size_t data, start = open_expression("payload", &data);
	put_number(NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(NFTA_PAYLOAD_OFFSET, offset);
	put_number(NFTA_PAYLOAD_LEN, size);
	close_expression(start, data);
	compare(operator, value, size);
}

static void to_this_host(void)
{
	uint32_t local = LOCAL;
	size_t data, start = open_expression("fib", &data);
	put_number(NFTA_FIB_DREG, NFT_REG_1);
	put_number(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put_number(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	close_expression(start, data);
	compare(NFT_CMP_EQ, &local, sizeof local);
}

static void tcp(void)
{
	uint8_t protocol = IPPROTO_TCP;
	meta(NFT_META_L4PROTO);
	compare(NFT_CMP_EQ, &protocol, sizeof protocol);
}

/* the destination becomes this address */
static void translate(const struct in_addr *to)
{
	size_t data, start = open_expression("immediate", &data);
	put_number(NFTA_IMMEDIATE_DREG, NFT_REG_1);
	size_t nest = open_nest(NFTA_IMMEDIATE_DATA);
	put(NFTA_DATA_VALUE, to, sizeof *to);
	close_nest(nest);
	close_expression(start, data);
	start = open_expression("nat", &data);
	put_number(NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put_number(NFTA_NAT_FAMILY, NFPROTO_IPV4);
	put_number(NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	close_expression(start, data);
}

static void masquerade(void)
{
	size_t data, start = open_expression("masq", &data);
	close_expression(start, data);
}

/* bytes of a TCP header at this offset */
static void tcp_field(uint32_t offset, const void *value, size_t size)
{
	size_t data, start;
	tcp();
	start = open_expression("payload", &data);
	put_number(NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	put_number(NFTA_PAYLOAD_OFFSET, offset);
	put_number(NFTA_PAYLOAD_LEN, size);
	close_expression(start, data);
	compare(NFT_CMP_EQ, value, size);
}

static void verdict(uint32_t code)
{
	size_t data, start = open_expression("immediate", &data);
	put_number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	size_t nest = open_nest(NFTA_IMMEDIATE_DATA), inner = open_nest(NFTA_DATA_VERDICT);
	put_number(NFTA_VERDICT_CODE, code);
	close_nest(inner);
	close_nest(nest);
	close_expression(start, data);
}

static void end_rule(size_t start, size_t list)
{
	close_nest(list);
	end_message(start);
}

static void table(uint16_t type, uint16_t flags)
{
	size_t start = request(type, flags);
	put_text(NFTA_TABLE_NAME, TABLE);
	end_message(start);
}

static void chain(const char *name, const char *type, uint32_t hook, int32_t priority)
{
	size_t start = request(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	put_text(NFTA_CHAIN_TABLE, TABLE);
	put_text(NFTA_CHAIN_NAME, name);
	put_text(NFTA_CHAIN_TYPE, type);
	size_t nest = open_nest(NFTA_CHAIN_HOOK);
	put_number(NFTA_HOOK_HOOKNUM, hook);
	put_number(NFTA_HOOK_PRIORITY, priority);
	close_nest(nest);
	end_message(start);
}

/* Sends the batch and reads an answer for each message; -1 with errno of the first that was refused. */
static int commit(void)
{
	size_t end = message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end_message(end);
	int result = -1, handle = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	static char answers[65536] __attribute__((aligned(8)));
	if (handle >= 0 && sendto(handle, batch, used, 0, (struct sockaddr *)&kernel, sizeof kernel) == (ssize_t)used)
		result = 0;
	/* the kernel has answered each message before the send returns */
	for (ssize_t size; handle >= 0 && (size = recv(handle, answers, sizeof answers, MSG_DONTWAIT)) > 0;) {
		for (struct nlmsghdr *one = (struct nlmsghdr *)answers; NLMSG_OK(one, size); one = NLMSG_NEXT(one, size)) {
			struct nlmsgerr *said = NLMSG_DATA(one);
			if (one->nlmsg_type == NLMSG_ERROR && said->error && !result) {
				result = -1;
				errno = -said->error;
			}
		}
	}
	if (handle >= 0) {
		int kept = errno;
		close(handle);
		errno = kept;
	}
	return result;
}

static void begin(void)
{
	end_message(message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}
