/** The only one that OpenFaaS's Community Edition has, and this gateway. */
export const openfaasNamespace = "openfaas-fn";
