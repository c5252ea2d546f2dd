# The network of a firmware for a virtual board, for the port's Makefile: lwIP in VPORT_LWIP (a folder called lwip_extmod), its link to the board,
# and a station. The port has a netport.h and a lwipopts.h in a folder in front of VNET_INC.
VNET := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
VNET_INC := -I$(VNET)/include -I$(VNET) -I$(VPORT_LWIP)/src/include
VNET_SRC := vport-net/link.c vport-net/station.c
VNET_LWIP_SRC := $(addprefix lwip_extmod/src/, core/def.c core/dns.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c \
	core/netif.c core/pbuf.c core/raw.c core/stats.c core/tcp.c core/tcp_in.c core/tcp_out.c core/timeouts.c core/udp.c \
	core/ipv4/dhcp.c core/ipv4/etharp.c core/ipv4/icmp.c core/ipv4/igmp.c core/ipv4/ip4.c core/ipv4/ip4_addr.c \
	core/ipv4/ip4_frag.c netif/ethernet.c)
vpath vport-net/%.c $(dir $(VNET))
vpath lwip_extmod/%.c $(patsubst %/,%,$(dir $(VPORT_LWIP)))
