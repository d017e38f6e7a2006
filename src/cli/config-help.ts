/** The options of every command that reads the configuration. */
export const configHelp = `Options:
  --config FILE        Configuration, YAML or JSON (default /etc/rds-csi/config.yaml, if it is there)
  --set PATH=VALUE     Set one key, such as --set fencing.settleTime=10s; may be repeated
  --endpoint ENDPOINT  Where to listen (key endpoint, default unix:///csi/csi.sock)
  --node-id NAME       Name of this node (key nodeId)
  --log-level LEVEL    debug, info, warn or error (key logLevel, default info)
  --help               Show this text

A key may also come from the environment: RDS_CSI_ and its path in upper case, with "__" for each dot, as in
RDS_CSI_FENCING__SETTLE_TIME. Flags count more than the environment, and that more than the file.
All keys: docs/configuration.md
`;
