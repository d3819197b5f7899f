#!/bin/sh
# mod_fcgid starts this program for the pages and endpoints. Set workers = 1 in the configuration,
# because mod_fcgid starts as many of these as it needs.
exec /home/anna/consentgate/consentgate --config /home/anna/consentgate/consentgate.conf
