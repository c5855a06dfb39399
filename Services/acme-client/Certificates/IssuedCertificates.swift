import ACMEClientAPI
import Logging
import PKI
import Telemetry

/// What is asked of a CA about a certificate that it has issued.
struct IssuedCertificates: Sendable {
  let accounts: Accounts
  let directories: Directories
  let clock: WallClock
  let logger: Logger

  /// Serves ``ACMEClient/GetRenewalInfo``: one request; when to ask again is for the caller to decide.
  /// - Throws: ``ACMEClient/Failed``, or `CancellationError`.
  func renewalInfo(_ call: ACMEClient.GetRenewalInfo.Parameters) async throws -> ACMEClient.GetRenewalInfo.Reply {
    let certificate = try leaf(call.certificate)
    do {
      let connection = try await directories.connection(to: call.authority.directory, trustRoots: call.authority.trustRoots)
      guard let resource = connection.directory.renewalInfo else { return .init(supported: false, date: connection.time.now) }
      guard let identifier = certificate.identifier, let url = resource.appending(identifier.value) else {
        throw ACMEError(.badAnswer, connection.url.value, "certificate \(certificate.serial) does not name its issuer's key (RFC 9773, section 4.1)")
      }
      let response = try await connection.get(.renewalInfo, url, limit: RenewalInfo.maximumSize)
      let info = try response.decode(RenewalInfo.self, from: url)
      return .init(
        supported: true, start: info.start, end: info.end, explanation: info.explanation?.value,
        retryAfter: response.retryAfter(now: clock.now())?.wholeSeconds, date: response.dateOfToday)
    } catch let error as ACMEError {
      if error.mayBeMisdirected { await accounts.directoryMayBeOutdated(call.authority) }
      throw ACMEClient.Failed(Problem(renewalInfo: error))
    }
  }

  /// Serves ``ACMEClient/Revoke``. What is revoked already stays so.
  /// - Throws: ``ACMEClient/Failed``, or `CancellationError`.
  func revoke(_ call: ACMEClient.Revoke.Parameters) async throws {
    let certificate = try leaf(call.certificate)
    do {
      try await accounts.turns.read { try await revoke(certificate, call) }
    } catch let error as ACMEError where error.document?.type == .alreadyRevoked {
      logger.info("certificate was revoked before", metadata: [.serial: certificate.serial])
    } catch let error as ACMEError {
      if error.mayBeMisdirected { await accounts.directoryMayBeOutdated(call.authority) }
      throw ACMEClient.Failed(Problem(error))
    }
  }

  private func revoke(_ certificate: X509Certificate, _ call: ACMEClient.Revoke.Parameters) async throws {
    let session = try await accounts.session(with: call.authority)
    guard let url = session.connection.directory.revokeCert else {
      throw ACMEError(.badAnswer, session.connection.url.value, "the CA revokes nothing by ACME (RFC 8555, section 7.6); see to its pages")
    }
    let revocation = Revocation(certificate: Base64URL.encode(certificate.der), reason: call.reason)
    _ = try await session.post(.revokeCert, url, .encoding(revocation))
    let reason = call.reason.map { "for reason \($0) of RFC 5280, section 5.3.1" } ?? "without a reason"
    logger.log(
      .certificateRevoked, "certificate revoked, \(reason)", metadata: [.serial: certificate.serial, .directory: session.connection.url])
  }

  private func leaf(_ pem: String) throws -> X509Certificate {
    do {
      return try CertificateChain(pem: pem).leaf
    } catch {
      throw ACMEClient.Failed(Problem(.internalError, "The certificate that the CA was to be asked about cannot be read: \(error.text)", final: true))
    }
  }
}
