# order guard: the user interface of the repository.

NGX_SRC    ?= /usr/share/nginx/src
BUILD      ?= $(CURDIR)/build
CC         ?= cc
PYTHON     ?= /usr/bin/python3
MODULE     := $(BUILD)/ngx_http_order_guard_module.so
DESTDIR    ?=

MODULE_DIR := /usr/lib/nginx/modules
CONF_DIR   := /usr/share/nginx/modules-available
ON_DIR     := /etc/nginx/modules-enabled

CCOPT ?= -g -O2 -fPIC -fstack-protector-strong -Wformat \
         -Werror=format-security -D_FORTIFY_SOURCE=2 \
         -ffile-prefix-map=$(CURDIR)=.
LDOPT ?= -Wl,-z,relro -Wl,-z,now

PACKAGES := gcc make nginx nginx-dev libhiredis-dev libjansson-dev libssl-dev
NODE     := nodejs@node npm@npm
PYTEST   := python3 python3-pytest python3-pytest-xdist
TESTING  := $(PACKAGES) redis-server curl perl libtest-base-perl \
            libcmocka-dev libnginx-mod-http-echo ccache $(PYTEST) $(NODE)
CHECKING := $(PACKAGES) clang-tidy cppcheck
FUZZING  := clang libclang-rt-14-dev libjansson-dev libssl-dev

SOURCES := $(wildcard ngx_module/*.c ngx_module/*.h)
PURE    := $(wildcard ngx_module/og_*.c)

.PHONY: help deps build install uninstall demo test clean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' \
	    Makefile t/tests.mk

# $(1): packages.  Asks apt only for what is missing.
define need
	@t/install $(1)
endef

deps: ## install what building needs (Debian packages)
	$(call need,$(PACKAGES))

build: deps $(MODULE) ## build the module for Debian's nginx

# A file that comes or goes makes another list, and the module anew.

$(BUILD)/sources: FORCE
	@mkdir -p $(BUILD)
	@echo '$(SOURCES)' | cmp -s - $@ || echo '$(SOURCES)' > $@

$(BUILD)/Makefile: config $(BUILD)/sources
	@rm -f $(MODULE)
	cd $(NGX_SRC) && bash -c '. ./conf_flags && ./configure \
	    "$${NGX_CONF_FLAGS[@]}" --with-cc="$(CC)" \
	    --with-cc-opt="$(CCOPT)" --with-ld-opt="$(LDOPT)" \
	    --builddir=$(BUILD) --add-dynamic-module=$(CURDIR)' \
	    > $(BUILD)/configure.log 2>&1 \
	    || { grep 'error:' $(BUILD)/configure.log >&2; rm -f $@; exit 1; }

$(MODULE): $(BUILD)/Makefile $(SOURCES)
	$(MAKE) -s -C $(NGX_SRC) -f $(BUILD)/Makefile modules
	@touch $@

install: build ## put the module where Debian's nginx looks
	install -d $(DESTDIR)$(MODULE_DIR) $(DESTDIR)$(CONF_DIR) \
	    $(DESTDIR)$(ON_DIR)
	install -m 644 $(MODULE) $(DESTDIR)$(MODULE_DIR)/
	echo 'load_module modules/ngx_http_order_guard_module.so;' \
	    > $(DESTDIR)$(CONF_DIR)/mod-http-order-guard.conf
	ln -sf $(CONF_DIR)/mod-http-order-guard.conf \
	    $(DESTDIR)$(ON_DIR)/50-mod-http-order-guard.conf

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(MODULE_DIR)/$(notdir $(MODULE)) \
	    $(DESTDIR)$(CONF_DIR)/mod-http-order-guard.conf \
	    $(DESTDIR)$(ON_DIR)/50-mod-http-order-guard.conf

demo: ## show the four capabilities at work; STORE=redis: with Redis
	$(call need,$(PACKAGES) curl python3 $(patsubst %,%-server,$(filter redis,$(STORE))))
	@$(MAKE) -s $(MODULE)
	@STORE=$(STORE) $(PYTHON) t/demo/demo.py

test: ## install, build and test everything
	$(call need,$(TESTING))
	@$(MAKE) -s $(MODULE)
	@$(MAKE) -s unit prove system

include t/tests.mk

clean: ## remove what was built
	rm -rf $(BUILD)
